"""Movies that stand for what a user did not watch: drawn among those that the user has not rated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.errors import DataError
from recommender.metrics.sampled import draw_negatives


def draw_unseen(
    rated: csr_array,
    users: NDArray[np.integer],
    number: int,
    rng: np.random.Generator,
    popularity: NDArray[np.integer] | None = None,
) -> NDArray[np.int32]:
    """For each of `users` `(n,)`, `number` movies without an entry in that user's row: int32 `(n, number)`.

    `rated`: `(num_users, num_movies)`, its indices are sorted in place. Without `popularity` every movie is
    as likely and a draw holds different ones; with counts `(num_movies,)` a movie is drawn in proportion to
    its count and may come twice. Raises `DataError` where a user leaves too few movies to draw from.
    """
    free = rated.shape[1] - np.diff(rated.indptr)[users]
    if popularity is not None:
        free = popularity.sum() - (rated @ popularity)[users]
    needed = number if popularity is None else 1
    if (free < needed).any():
        raise DataError(
            f"ranking.negatives: there must be {number} movies to draw for every user, user code "
            f"{users[np.argmin(free)]} has rated too many"
        )
    if popularity is None:
        return draw_negatives(rated, users, number, rng)
    return _draw_by_popularity(rated, users, popularity, rng.integers(0, free[:, None], (len(users), number)))


def _draw_by_popularity(
    rated: csr_array, users: NDArray[np.integer], popularity: NDArray[np.integer], drawn: NDArray[np.int64]
) -> NDArray[np.int32]:
    """From "the i-th of all ratings of movies that this user has not rated" to the movie of that rating.

    All ratings in the order of movies are blocks of one movie each; a user's own movies take their blocks
    away. A block with at most i ratings left before it moves the i-th on by its size.
    """
    rated.sort_indices()
    ends = np.cumsum(popularity)
    sizes = popularity[rated.indices]
    taken = np.append(0, np.cumsum(sizes))
    taken_of_user = taken[:-1] - np.repeat(taken[rated.indptr[:-1]], np.diff(rated.indptr))
    stride = ends[-1] + 1
    row = np.repeat(np.arange(rated.shape[0]), np.diff(rated.indptr))
    left_before = row * stride + ends[rated.indices] - sizes - taken_of_user
    block = np.searchsorted(left_before, users.astype(np.int64)[:, None] * stride + drawn, side="right")
    moved = drawn + taken[block] - taken[rated.indptr[users]][:, None]
    return np.searchsorted(ends, moved, side="right").astype(np.int32)
