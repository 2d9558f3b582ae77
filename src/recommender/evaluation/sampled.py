"""Ranks of held-out movies among random movies, collected block by block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.data.interactions import Interactions
from recommender.errors import DataError
from recommender.metrics.sampled import draw_negatives, rank_among, sampled_hit_rate_at_k, sampled_ndcg_at_k

NEGATIVES = 99


class SampledProtocol:
    """Ranks every held-out rating against `NEGATIVES` movies that its user rated in no split.

    Held-out ratings of a user with fewer free movies are left out; if none is left, the metrics are NaN.
    """

    def __init__(self, rated: Interactions, wanted: csr_array, seed: int):
        """`rated`: all ratings of all splits; `wanted`: the held-out ones, one entry each.

        One seed draws the same movies for every scorer. Raises `DataError` if `rated` lacks a held-out one.
        """
        self._rated, self._wanted = rated.matrix(), wanted
        lacking = wanted.nnz - self._rated.multiply(wanted).nnz
        if lacking:
            raise DataError(
                f"`rated` must hold the ratings of all splits, {lacking} held-out ones are missing"
            )
        self._rng = np.random.default_rng(seed)
        self._ranks: list[NDArray[np.int64]] = []

    def add(self, scores: NDArray[np.float32], users: NDArray[np.int32]) -> None:
        """Rank the held-out ratings of one block of users by their scores `(len(users), num_movies)`."""
        rated, wanted = self._rated[users], self._wanted[users]
        enough = rated.shape[1] - np.diff(rated.indptr) >= NEGATIVES
        row = np.repeat(np.arange(len(users)), np.diff(wanted.indptr))
        row, movie = row[enough[row]], wanted.indices[enough[row]]
        negatives = draw_negatives(rated, row, NEGATIVES, self._rng)
        self._ranks.append(rank_among(scores[row, movie], movie, scores[row[:, None], negatives], negatives))

    def metrics(self, ks: Sequence[int]) -> dict[str, float]:
        """Means over all ranked ratings, named like `hit_rate@10/99neg`; no k that takes in all movies."""
        rank = np.concatenate(self._ranks)
        ks = [k for k in ks if k <= NEGATIVES]
        values = {f"hit_rate@{k}/{NEGATIVES}neg": sampled_hit_rate_at_k(rank, k) for k in ks}
        values |= {f"ndcg@{k}/{NEGATIVES}neg": sampled_ndcg_at_k(rank, k) for k in ks}
        return {name: float(np.mean(value)) if len(rank) else float("nan") for name, value in values.items()}
