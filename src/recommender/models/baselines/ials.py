"""Matrix factorisation of who rated what by alternating least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from recommender.data.interactions import Interactions
from recommender.models.baselines.popularity import Popularity, fit_popularity


@dataclass(frozen=True)
class Factors:
    """Scores a movie by its factors times the user's; users without history get those of `popularity`."""

    user_factors: NDArray[np.float32]  # (num_users, factors)
    movie_factors: NDArray[np.float32]  # (num_movies, factors)
    has_history: NDArray[np.bool_]  # (num_users,)
    popularity: Popularity

    def scores(self, users: NDArray[np.int32]) -> NDArray[np.float32]:
        """Scores `(len(users), num_movies)`."""
        scores = self.user_factors[users] @ self.movie_factors.T
        unknown = ~self.has_history[users]
        scores[unknown] = self.popularity.scores(users[unknown])
        return scores


def fit_ials(
    known: Interactions,
    *,
    seed: int,
    factors: int = 32,
    reg: float = 10.0,
    alpha: float = 1.0,
    iterations: int = 15,
) -> Factors:
    """Fit factors to 1 for a rated movie, weight `alpha`, and 0 for every other movie, weight 1.

    Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008. Only who
    rated what counts, not the stars. The same seed gives the same factors, whatever the number of threads.
    Raises `DataError` without ratings.
    """
    popularity = fit_popularity(known)
    history = known.matrix()
    # `implicit` brings its own threads, one user or movie each; those of BLAS would only be in their way.
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors, regularization=reg, alpha=alpha, iterations=iterations, random_state=seed
        )
        model.fit(csr_matrix(history), show_progress=False)
    return Factors(model.user_factors, model.item_factors, np.diff(history.indptr) > 0, popularity)
