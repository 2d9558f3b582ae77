"""Which ratings train, which choose and which are only reported on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.config import DataSettings
from recommender.data.interactions import SPLITS
from recommender.errors import DataError

Split = NDArray[np.int8]  # per rating: 0 train, 1 validation, 2 test


def assign_splits(
    settings: DataSettings, user: NDArray[np.int32], timestamp: NDArray[np.int64], seed: int
) -> Split:
    """The split of each rating, in file order; `user` and `timestamp` have shape `(n,)`.

    Raises `DataError` when a part would be empty.
    """
    if settings.split == "leave_last":
        split = leave_last(user, timestamp, settings.leave_last)
    elif settings.split == "random":
        split = random_split(len(user), settings.validation_share, settings.test_share, seed)
    else:
        by = time_range if settings.split == "time_range" else row_quantile
        split = by(timestamp, settings.validation_share, settings.test_share)
    for index, name in enumerate(SPLITS):
        if not np.any(split == index):
            raise DataError(
                f"the {name} split is empty: data.split={settings.split} of {len(user)} ratings with "
                f"validation_share={settings.validation_share}, test_share={settings.test_share}, "
                f"leave_last={settings.leave_last}; choose other shares or another data.split"
            )
    return split


def time_range(timestamp: NDArray[np.int64], validation_share: float, test_share: float) -> Split:
    """Cut the time between the first and the last rating by share: old ratings train, the newest test.

    A rating on a cut belongs to the earlier part.
    """
    first, last = int(timestamp.min()), int(timestamp.max())
    test_from = first + (last - first) * (1 - test_share)
    validation_from = first + (last - first) * (1 - validation_share - test_share)
    return ((timestamp > validation_from).astype(np.int8) + (timestamp > test_from)).astype(np.int8)


def row_quantile(timestamp: NDArray[np.int64], validation_share: float, test_share: float) -> Split:
    """Cut the ratings in time order by share of rows; a second is never split, so a cut may be a bit off."""
    ordered = np.sort(timestamp)
    n = len(ordered)
    validation_from = ordered[min(round(n * (1 - validation_share - test_share)), n - 1)]
    test_from = ordered[min(round(n * (1 - test_share)), n - 1)]
    return ((timestamp >= validation_from).astype(np.int8) + (timestamp >= test_from)).astype(np.int8)


def leave_last(user: NDArray[np.int32], timestamp: NDArray[np.int64], n: int) -> Split:
    """Each user's last `n` ratings test, the `n` before them validate; file order breaks ties of a second.

    A user with at most `2 n` ratings only trains.
    """
    order = np.lexsort((np.arange(len(user)), timestamp, user))
    counts = np.bincount(user)
    ends = np.cumsum(counts)[user[order]]
    from_last = ends - 1 - np.arange(len(user))  # 0 for a user's last rating
    held_out = np.where(from_last < n, 2, np.where(from_last < 2 * n, 1, 0))
    split = np.empty(len(user), np.int8)
    split[order] = np.where(counts[user[order]] > 2 * n, held_out, 0)
    return split


def random_split(n: int, validation_share: float, test_share: float, seed: int) -> Split:
    """Shuffle the rows and cut them by share."""
    split = np.zeros(n, np.int8)
    order = np.random.default_rng(seed).permutation(n)
    num_test, num_validation = round(n * test_share), round(n * validation_share)
    split[order[:num_test]] = 2
    split[order[num_test : num_test + num_validation]] = 1
    return split
