"""How well lists of similar movies agree with what people like next, and with genres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.similarity.neighbours import NONE, Neighbours


def co_liked_hit_rate(neighbours: Neighbours, pairs: NDArray[np.int32], k: int = 10) -> float:
    """The share of pairs `(n, 2)` of which the second is among the first's k nearest.

    A movie without neighbours never hits. NaN without pairs.
    """
    if not len(pairs):
        return float("nan")
    first, second = pairs.T
    return float(np.mean((neighbours.codes[first, :k] == second[:, np.newaxis]).any(axis=1)))


def genre_agreement(neighbours: Neighbours, genres: NDArray[np.bool_], k: int = 10) -> float:
    """Mean Jaccard overlap of genres of a movie and its k nearest, over all there are; NaN without any.

    `genres` `(num_movies, num_genres)`; two movies without genres overlap by 0.
    """
    movies, ranks = np.nonzero(neighbours.codes[:, :k] != NONE)
    if not len(movies):
        return float("nan")
    one, other = genres[movies], genres[neighbours.codes[movies, ranks]]
    shared, union = (one & other).sum(axis=1), (one | other).sum(axis=1)
    return float(np.mean(shared / np.maximum(union, 1)))


def coverage(neighbours: Neighbours, k: int = 10) -> tuple[float, float]:
    """The share of movies that have a neighbour, and the share that are among the k nearest of another."""
    listed = np.unique(neighbours.codes[:, :k])
    return (
        float(np.mean(neighbours.codes[:, 0] != NONE)),
        float(np.sum(listed != NONE) / len(neighbours.codes)),
    )
