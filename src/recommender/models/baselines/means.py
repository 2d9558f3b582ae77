"""The two plainest rating predictors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.data.interactions import Interactions
from recommender.models.baselines.sums import overall_mean, sums_by


@dataclass(frozen=True)
class GlobalMean:
    """Predicts the mean training rating."""

    mean: float

    def predict(self, user: NDArray[np.int32], movie: NDArray[np.int32]) -> NDArray[np.float32]:
        """Ratings `(n,)` for users and movies `(n,)`."""
        return np.full(len(user), self.mean, np.float32)


def fit_global_mean(train: Interactions) -> GlobalMean:
    """Raises `DataError` without ratings."""
    return GlobalMean(overall_mean(train))


@dataclass(frozen=True)
class ItemMean:
    """Predicts the movie's shrunk mean training rating; the global mean for a movie without ratings."""

    means: NDArray[np.float32]  # (num_movies,)

    def predict(self, user: NDArray[np.int32], movie: NDArray[np.int32]) -> NDArray[np.float32]:
        """Ratings `(n,)` for users and movies `(n,)`."""
        return self.means[movie]


def fit_item_mean(train: Interactions, reg: float = 5.0) -> ItemMean:
    """(sum of the movie's ratings + reg * global mean) / (number of its ratings + reg), with reg > 0.

    A plain mean believes a single rating; as if 5 more had been given at the global mean does better on the
    chronological validation split of ml-100k (RMSE 1.043, plain 1.050). Raises `DataError` without ratings.
    """
    mean = overall_mean(train)
    counts, sums = sums_by(train.movie, train.rating, train.num_movies)
    return ItemMean(((sums + reg * mean) / (counts + reg)).astype(np.float32))
