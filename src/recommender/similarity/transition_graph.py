"""The graph of which movie is liked right after which, and random walks on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.similarity.liked_sequences import LikedSequences

ENDED = -1


@dataclass(frozen=True, eq=False)
class TransitionGraph:
    """`weights[a, b]` counts how often a user liked b right after a, or a right after b: int64, symmetric."""

    weights: csr_array

    @classmethod
    def of(cls, liked: LikedSequences, num_movies: int) -> TransitionGraph:
        """Count each pair in both directions: two likes close in time say nothing of which belongs first."""
        one, other = liked.consecutive().T
        rows, columns = np.concatenate([one, other]), np.concatenate([other, one])
        counts = np.ones(len(rows), np.int64)
        weights = csr_array((counts, (rows, columns)), shape=(num_movies, num_movies))
        weights.sum_duplicates()
        return cls(weights)

    def walks(self, starts: NDArray[np.integer], length: int, seed: int) -> NDArray[np.int32]:
        """One random walk from each movie of `starts`, `(len(starts), length)`.

        Each step goes along an edge with a probability in proportion to its weight. A movie without edges is
        a walk of one, filled up with `ENDED`. All walks take each step together.
        """
        random = np.random.default_rng(seed)
        upto = np.concatenate([[0], np.cumsum(self.weights.data)])
        before = upto[self.weights.indptr[:-1]]
        totals = upto[self.weights.indptr[1:]] - before
        walks = np.full((len(starts), length), ENDED, np.int32)
        walks[:, 0] = starts
        moving = np.flatnonzero(totals[starts])
        for step in range(1, length):
            here = walks[moving, step - 1]
            drawn = before[here] + random.integers(totals[here])
            edges = np.searchsorted(upto, drawn, side="right") - 1
            walks[moving, step] = self.weights.indices[edges]
        return walks
