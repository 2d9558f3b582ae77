"""Errors of predicted ratings, in stars."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rmse(predicted: NDArray[np.floating], rating: NDArray[np.floating]) -> float:
    """Root mean squared error: sqrt(mean((predicted - rating)^2)); NaN for no rows.

    `predicted`, `rating`: `(n,)`. Summed in double precision.
    """
    error = predicted.astype(np.float64) - rating
    return float(np.sqrt(np.mean(error**2))) if len(error) else float("nan")


def mae(predicted: NDArray[np.floating], rating: NDArray[np.floating]) -> float:
    """Mean absolute error: mean(|predicted - rating|); NaN for no rows.

    `predicted`, `rating`: `(n,)`. Summed in double precision.
    """
    error = predicted.astype(np.float64) - rating
    return float(np.mean(np.abs(error))) if len(error) else float("nan")
