"""The matrix factorisation with biases that is known as SVD: the usual peer on ratings by id."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.data.interactions import Interactions
from recommender.models.baselines.user_item_bias import UserItemBias, fit_user_item_bias

Codes = NDArray[np.int32]


@dataclass(frozen=True)
class BiasedFactorisation:
    """Predicts the biases' rating plus the product of the factors, which are 0 without ratings."""

    biases: UserItemBias
    users: NDArray[np.float64]
    movies: NDArray[np.float64]

    def predict(self, user: Codes, movie: Codes) -> NDArray[np.float32]:
        """Ratings `(n,)` for users and movies `(n,)`."""
        product = np.einsum("nk,nk->n", self.users[user], self.movies[movie])
        return (self.biases.predict(user, movie) + product).astype(np.float32)


def fit_biased_factorisation(
    known: Interactions, size: int = 8, penalty: float = 12.0, passes: int = 15, seed: int = 1
) -> BiasedFactorisation:
    """Alternating least squares on what the biases leave of the ratings (Koren, Bell and Volinsky 2009).

    The sizes are customary ones for data of this size, not tuned.
    """
    biases = fit_user_item_bias(known)
    residual = known.rating - biases.predict(known.user, known.movie)
    movies = np.random.default_rng(seed).normal(0.0, 0.1, (known.num_movies, size))
    for _ in range(passes):
        users = _solve(known.user, movies[known.movie], residual, known.num_users, penalty)
        movies = _solve(known.movie, users[known.user], residual, known.num_movies, penalty)
    return BiasedFactorisation(biases, users, movies)


def _solve(
    code: Codes, columns: NDArray[np.float64], target: NDArray, number: int, penalty: float
) -> NDArray[np.float64]:
    """A ridge regression for each code: `(number, size)`."""
    size = columns.shape[1]
    moments, shift = np.zeros((number, size, size)), np.zeros((number, size))
    np.add.at(moments, code, columns[:, :, None] * columns[:, None, :])
    np.add.at(shift, code, columns * target[:, None])
    return np.linalg.solve(moments + penalty * np.eye(size), shift[:, :, None])[:, :, 0]
