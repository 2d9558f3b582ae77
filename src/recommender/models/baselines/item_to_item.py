"""Scores from similarities between movies: what item-kNN and EASE have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from recommender.models.baselines.popularity import Popularity


@dataclass(frozen=True)
class ItemToItem:
    """Scores a movie by the sum of its similarities to the movies of the user's history.

    Users without history get the scores of `popularity`. `history`: `(num_users, num_movies)`, 1 for a known
    rating; `similarity`: `(num_movies, num_movies)`, sparse or dense, from the rated movie to the scored one.
    """

    history: csr_array
    similarity: csr_array | NDArray[np.float32]
    popularity: Popularity

    def scores(self, users: NDArray[np.int32]) -> NDArray[np.float32]:
        """Scores `(len(users), num_movies)`."""
        history = self.history[users]
        scores = history @ self.similarity
        scores = scores.toarray() if issparse(scores) else scores
        unknown = np.diff(history.indptr) == 0
        scores[unknown] = self.popularity.scores(users[unknown])
        return scores.astype(np.float32, copy=False)
