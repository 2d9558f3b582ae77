"""What lists of recommendations are like apart from being right: coverage, novelty, diversity.

`top`: int `(users, n)` with n >= k, movie codes in rank order, `NO_MOVIE` where a user has fewer candidates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NO_MOVIE = -1
Top = NDArray[np.integer]
PerUser = NDArray[np.float64]

# Pairs of movies that `diversity_at_k` compares at once: four float32 arrays of this length are alive.
PAIRS_AT_ONCE = 2**21


def coverage_at_k(top: Top, num_movies: int, k: int) -> float:
    """The share of the catalogue that is in the top k of at least one user."""
    shown = np.unique(top[:, :k])
    return float(np.count_nonzero(shown != NO_MOVIE) / num_movies)


def novelty_at_k(top: Top, movie_counts: NDArray[np.integer], num_users: int, k: int) -> PerUser:
    """Mean over the list of -log2(share of users that rated the movie), in bits; NaN for an empty list.

    `movie_counts`: `(num_movies,)`, how many of the `num_users` users with known ratings rated the movie. A
    movie that nobody rated counts as rated by one user, so that its novelty is finite. Result `(users,)`.
    """
    surprise = np.log2(max(num_users, 1)) - np.log2(np.maximum(movie_counts, 1))
    listed = top[:, :k] != NO_MOVIE
    total = np.where(listed, surprise[top[:, :k]], 0.0).sum(axis=1)
    return _ratio(total, listed.sum(axis=1))


def diversity_at_k(top: Top, genres: NDArray[np.bool_], k: int) -> PerUser:
    """1 - mean Jaccard similarity of the genres over all pairs of movies in the list; NaN for fewer than two.

    Jaccard similarity: shared genres / genres of either movie; 0 where neither has any. `genres`: bool
    `(num_movies, num_genres)`. Result `(users,)`.
    """
    step = max(1, PAIRS_AT_ONCE // k**2)
    blocks = [_diversity(top[start : start + step, :k], genres) for start in range(0, len(top), step)]
    return np.concatenate(blocks) if blocks else np.zeros(0)


def _diversity(top: Top, genres: NDArray[np.bool_]) -> PerUser:
    listed = top != NO_MOVIE
    member = genres[top].astype(np.float32) * listed[:, :, None]  # (users, k, num_genres)
    shared = member @ member.transpose(0, 2, 1)  # (users, k, k)
    size = member.sum(axis=2)
    either = size[:, :, None] + size[:, None, :] - shared
    similarity = np.divide(shared, either, out=np.zeros_like(shared), where=either > 0)
    # The diagonal compares a movie with itself: 1 where it has genres at all.
    total = similarity.sum(axis=(1, 2), dtype=np.float64) - np.count_nonzero(size, axis=1)
    movies = listed.sum(axis=1)
    return 1 - _ratio(total, movies * (movies - 1))


def _ratio(total: PerUser, number: NDArray[np.integer]) -> PerUser:
    return np.divide(total, number, out=np.full(len(total), np.nan), where=number > 0)
