"""Whether a probability means what it says: of what is given 70 %, 70 % should happen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10


def reliability(
    probability: NDArray[np.floating], liked: NDArray[np.bool_], bins: int = BINS
) -> dict[str, Any]:
    """Predicted and actual likes in equally wide bins of the probability; both arrays `(n,)`.

    Per bin, from low to high: `rows`, `predicted` (the mean probability) and `actual` (the share of likes),
    NaN in an empty bin. `expected_error` is the mean over rows of |predicted - actual| of their bin, the
    expected calibration error of Naeini, Cooper and Hauskrecht ("Obtaining well calibrated probabilities
    using Bayesian binning", AAAI 2015); `largest_error` the largest one of a bin. A bin reaches from its
    lower edge up to, not including, its upper one; 1.0 is in the last.
    """
    bin_of = np.minimum((probability.astype(np.float64) * bins).astype(np.int64), bins - 1)
    rows = np.bincount(bin_of, minlength=bins)
    predicted = _means(bin_of, probability, rows)
    actual = _means(bin_of, liked, rows)
    gaps = np.abs(predicted - actual)[rows > 0]
    return {
        "rows": rows,
        "predicted": predicted,
        "actual": actual,
        "expected_error": float(gaps @ rows[rows > 0] / rows.sum()) if len(gaps) else float("nan"),
        "largest_error": float(gaps.max()) if len(gaps) else float("nan"),
    }


def _means(bin_of: NDArray[np.int64], values: NDArray, rows: NDArray[np.integer]) -> NDArray[np.float64]:
    sums = np.bincount(bin_of, weights=values.astype(np.float64), minlength=len(rows))
    return np.divide(sums, rows, out=np.full(len(rows), np.nan), where=rows > 0)
