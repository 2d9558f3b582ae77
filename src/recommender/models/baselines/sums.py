"""Counts and sums that the rating baselines are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.data.interactions import Interactions
from recommender.errors import DataError


def overall_mean(train: Interactions) -> float:
    """The mean rating; raises `DataError` without ratings."""
    if not len(train):
        raise DataError("a baseline needs at least one training rating, received 0")
    return float(np.mean(train.rating, dtype=np.float64))


def sums_by(
    code: NDArray[np.int32], values: NDArray[np.floating], size: int
) -> tuple[NDArray[np.integer], NDArray[np.float64]]:
    """How many values each code from 0 to `size` - 1 has, and their sum: two arrays `(size,)`."""
    sums = np.bincount(code, weights=values, minlength=size)
    return np.bincount(code, minlength=size), sums.astype(np.float64)
