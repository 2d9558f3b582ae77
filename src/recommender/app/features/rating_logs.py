"""The logs of ratings, by user and by movie, from which every sum can be made again.

A log is the bytes of an array, so that a rating is appended without reading what is there. A user's is in
the order of time, ratings of one second in the order in which they came; a movie's is in the order in which
they came.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.app.features.rating_sums import PRIOR_RATINGS

# `movie` is the movie's place in the catalogue; `deviation` is from what others had given the movie by then.
USER_LOG = np.dtype([("movie", "<u4"), ("rating", "<f4"), ("timestamp", "<i8"), ("deviation", "<f8")])
MOVIE_LOG = np.dtype([("timestamp", "<i8"), ("rating", "<f4")])


def read_log(content: bytes, layout: np.dtype) -> NDArray:
    """The ratings of a log."""
    return np.frombuffer(content, layout)


def shrunk_deviations(rows: NDArray, middle: float) -> NDArray[np.float64]:
    """How far each rating of one movie lies from what others had given it by then, `(n,)`.

    `rows` have `timestamp` and `rating` in the order of time; `middle` is that of the rating scale.
    """
    earlier = np.searchsorted(rows["timestamp"], rows["timestamp"], side="left")  # never the same second
    ratings = rows["rating"].astype(np.float64)
    return ratings - (_sums_of_first(ratings)[earlier] + PRIOR_RATINGS * middle) / (earlier + PRIOR_RATINGS)


def deviation_of_next(count: int, total: float, rating: float, middle: float) -> float:
    """The same of one rating, when `count` earlier ones of its movie sum up to `total`."""
    return rating - (total + PRIOR_RATINGS * middle) / (count + PRIOR_RATINGS)


def movie_deviations(rows: NDArray, middle: float) -> NDArray[np.float64]:
    """How far each rating of one user's log lies from what that user had given others by then, `(n,)`."""
    earlier = np.searchsorted(rows["timestamp"], rows["timestamp"], side="left")
    of_user = _sums_of_first(rows["deviation"])[earlier] / (earlier + PRIOR_RATINGS)
    return rows["rating"] - middle - of_user


def movie_deviation_of_next(count: int, deviations: float, rating: float, middle: float) -> float:
    """The same of one rating, when `count` earlier ones of its user have deviations that sum up to this."""
    return rating - middle - deviations / (count + PRIOR_RATINGS)


def _sums_of_first(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of the first 0, 1, ..., n values, `(n + 1,)`."""
    return np.concatenate([[0.0], np.cumsum(values)])
