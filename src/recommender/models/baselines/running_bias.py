"""The honest baseline for models with point-in-time features: biases from the same statistics."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from recommender.errors import DataError
from recommender.metrics.rating import rmse

# Pseudo-counts that `fit_running_bias` tries, for movies and for users.
GRID = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


@dataclass(frozen=True)
class RunningStatistics:
    """What was known of a row's user and movie before its rating: the features of these names, `(n,)` each.

    `user_deviation` is the mean of the user's ratings less what their movies' means were at that time. A mean
    is not looked at where its count is 0.
    """

    movie_count: NDArray[np.integer]
    movie_mean: NDArray[np.floating]
    user_count: NDArray[np.integer]
    user_deviation: NDArray[np.floating]


@dataclass(frozen=True)
class RunningBias:
    """Predicts mean + n_m / (n_m + movie_reg) (mean_m - mean) + n_u / (n_u + user_reg) deviation_u.

    That is `UserItemBias` from what was known when the rating was given: n_m and mean_m of the row's movie,
    n_u and deviation_u of its user. A term is 0 while its count is 0. Not clipped.
    """

    mean: float
    movie_reg: float
    user_reg: float

    def predict(self, statistics: RunningStatistics) -> NDArray[np.float32]:
        """Ratings `(n,)` from statistics `(n,)`."""
        movie = _shrunk(statistics.movie_count, statistics.movie_mean - self.mean, self.movie_reg)
        user = _shrunk(statistics.user_count, statistics.user_deviation, self.user_reg)
        return (self.mean + movie + user).astype(np.float32)


def fit_running_bias(statistics: RunningStatistics, rating: NDArray[np.floating]) -> RunningBias:
    """Choose the two regularisations from `GRID` by the RMSE on training rows; all arrays `(n,)`.

    Training rows need no validation split here: their statistics do not contain their own rating. Raises
    `DataError` without rows.
    """
    if not len(rating):
        raise DataError("the running bias needs at least one training rating, received 0")
    mean = float(np.mean(rating, dtype=np.float64))
    models = [RunningBias(mean, movie_reg, user_reg) for movie_reg, user_reg in product(GRID, GRID)]
    return min(models, key=lambda model: rmse(model.predict(statistics), rating))


def _shrunk(count: NDArray[np.integer], deviation: NDArray[np.floating], reg: float) -> NDArray[np.floating]:
    return np.where(count > 0, count / (count + reg) * deviation, 0.0)
