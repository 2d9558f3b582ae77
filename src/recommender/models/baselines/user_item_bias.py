"""The baseline predictor of the Netflix Prize: global mean + movie bias + user bias."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.data.interactions import Interactions
from recommender.models.baselines.sums import overall_mean, sums_by


@dataclass(frozen=True)
class UserItemBias:
    """Predicts mean + b_movie + b_user; a bias is 0 for who or what has no training ratings. Not clipped."""

    mean: float
    movie_bias: NDArray[np.float64]  # (num_movies,)
    user_bias: NDArray[np.float64]  # (num_users,)

    def predict(self, user: NDArray[np.int32], movie: NDArray[np.int32]) -> NDArray[np.float32]:
        """Ratings `(n,)` for users and movies `(n,)`."""
        return (self.mean + self.movie_bias[movie] + self.user_bias[user]).astype(np.float32)


def fit_user_item_bias(train: Interactions, movie_reg: float = 5.0, user_reg: float = 10.0) -> UserItemBias:
    """Fit shrunk biases, movies first, users on what is left.

    b_movie = sum(rating - mean) / (movie_reg + n_movie), b_user = sum(rating - mean - b_movie) / (user_reg +
    n_user): Koren, "Factor in the Neighbors", TKDD 2010, section 2.1. Its constants for Netflix are 25 and
    10; on ml-100k's validation splits 5 and 10 do better. Raises `DataError` without ratings.
    """
    mean = overall_mean(train)
    residual = train.rating - mean
    counts, sums = sums_by(train.movie, residual, train.num_movies)
    movie_bias = sums / (movie_reg + counts)
    counts, sums = sums_by(train.user, residual - movie_bias[train.movie], train.num_users)
    return UserItemBias(mean, movie_bias, sums / (user_reg + counts))
