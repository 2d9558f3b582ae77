"""Groups of users by how much is known of them: a mean over all users hides how new users fare."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

# The smallest number of earlier ratings in each group.
FROM = (0, 1, 5, 20, 100)


def _name(smallest: int, next_smallest: int) -> str:
    largest = next_smallest - 1
    return str(smallest) if largest == smallest else f"{smallest}-{largest}"


HISTORY_GROUPS = (*(_name(*limits) for limits in pairwise(FROM)), f"{FROM[-1]}+")


def history_group(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """The index into `HISTORY_GROUPS` for each number of earlier ratings."""
    return np.searchsorted(FROM, counts, side="right") - 1
