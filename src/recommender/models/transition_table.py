"""Which movie is rated soon after which, or near which: a Markov chain that looks further than one step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

WINDOW = 10  # ratings after a movie that count as soon
PRIOR = 10.0  # what is added to the sum of a row, so that a movie with few followers says little


def transition_lifts(
    movies: NDArray[np.integer], users: NDArray[np.integer], num_movies: int, *, both_ways: bool = False
) -> NDArray[np.float32]:
    """How many times more often than by chance a movie follows another soon.

    `(num_movies + 1, num_movies + 1)`, from the earlier movie; row and column 0 are 0. `movies` `(n,)` are
    indices, in order of time for each of `users` `(n,)`, whose ratings stand together. A movie k places after
    another counts 1 / k up to `WINDOW`, with `both_ways` also one k places before; chance is a movie's share
    of all ratings, half a rating added.
    """
    counts = np.zeros((num_movies + 1, num_movies + 1), np.float32)
    for lag in range(1, WINDOW + 1):
        same = users[lag:] == users[:-lag]
        pairs = movies[:-lag][same], movies[lag:][same]
        counts += coo_array((np.full(same.sum(), 1 / lag, np.float32), pairs), counts.shape).toarray()
    if both_ways:
        counts += counts.T.copy()
    share = np.bincount(movies, minlength=num_movies + 1) + 0.5
    return (counts / (counts.sum(axis=1, keepdims=True) + PRIOR) / (share / share.sum())).astype(np.float32)
