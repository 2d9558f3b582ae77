"""Which movies people come to late."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LAST = 20  # ratings of each user that count as the last
PRIOR = 10.0  # ratings added to both sides, so that a movie with few says little


def rated_last_lifts(
    movies: NDArray[np.integer], users: NDArray[np.integer], num_movies: int
) -> NDArray[np.float32]:
    """How many times more often than others' a movie's ratings are among the last of their users.

    `(num_movies + 1,)`, row 0 is 1; 1 also where nothing is known. `movies` `(n,)` are indices, in order of
    time for each of `users` `(n,)`, which ascend. What is asked next comes at the end of a history: a movie
    that is new, or that people find when they have rated what everybody has seen.
    """
    ends = np.cumsum(np.bincount(users))[users]
    last = ends - np.arange(len(movies)) <= LAST
    found, ratings = (np.bincount(chosen, minlength=num_movies + 1) for chosen in (movies[last], movies))
    expected = ratings * (last.sum() / max(len(movies), 1))
    return ((found + PRIOR) / (expected + PRIOR)).astype(np.float32)
