"""Movies that training has not seen: what genres and year say of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.data.encode import Arrays

CONTENT = ("movie_id", "genres", "release_year")  # what tells a model which movie it is, and what it is like


def with_exchanged_movies(arrays: Arrays, seed: int) -> Arrays:
    """Rows `(n, ...)` of movies that training has not seen, each movie shown as another one of them.

    An unseen movie's id has taught a model nothing, so exchanging id, genres and year among such movies
    exchanges what they are like and nothing else; all rows of one movie stay rows of one movie. Ratings that
    came in meanwhile (counts, means) stay with their row. The loss in accuracy is what genres and year are
    worth: permutation importance (Breiman, "Random forests", Machine Learning 2001), in blocks.
    """
    movie, first, row = np.unique(arrays["movie_id"], return_index=True, return_inverse=True)
    other = first[_derangement(len(movie), seed)][row]  # for each row, a row of the movie that it becomes
    return {name: array[other] if name in CONTENT else array for name, array in arrays.items()}


def _derangement(number: int, seed: int) -> NDArray[np.int64]:
    """A random cyclic order: nobody is followed by themselves, if there are at least two."""
    cycle = np.random.default_rng(seed).permutation(number)
    follower = np.empty(number, np.int64)
    follower[cycle] = np.roll(cycle, 1)
    return follower
