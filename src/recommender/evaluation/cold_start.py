"""Users of whom little is known: the encoded features that they would have after a few ratings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recommender.data.encode import Arrays
from recommender.data.features import BY_NAME, FEATURES
from recommender.data.schema import Schema

SECONDS_PER_DAY = 86_400


class RatedMovies(NamedTuple):
    """What features of a history need to know of every movie, by code + 1; row 0 = padding."""

    genres: NDArray[np.bool_]  # (num_movies + 1, num_genres)
    year: NDArray[np.float64]  # (num_movies + 1,), NaN = unknown


def rated_movies(genre_matrix: NDArray[np.bool_], movies: pd.DataFrame) -> RatedMovies:
    """Of `Prepared.genre_matrix()` and `Prepared.movies`."""
    year = movies["release_year"].astype("Float64").to_numpy(np.float64, na_value=np.nan)
    return RatedMovies(np.insert(genre_matrix, 0, False, axis=0), np.insert(year, 0, np.nan))


def with_last_ratings(arrays: Arrays, number: int, movies: RatedMovies, schema: Schema) -> Arrays:
    """The columns of users `(n, ...)` as if they had joined `number` ratings ago.

    Of each user only the last `number` ratings are known; whoever has fewer keeps what there is. Every column
    of a user's history that is among `arrays` is made anew from those ratings, by the definitions of
    `features.sql`: a test holds the two equal. `arrays` must hold the parts of `history`; what is not of a
    user's history stays as it is. `number` must be at most `schema.history_length`.
    """
    kept = {name: _first(arrays[name], number) for name in BY_NAME["history"].columns}
    movie, rating = kept["history_movies"], kept["history_ratings"].astype(np.float64)
    there = movie > 0
    liked = there & (rating >= schema.liked_threshold)
    years = np.where(there, movies.year[movie], np.nan)
    deviations = np.where(there, kept["history_deviations"].astype(np.float64), np.nan)
    oldest = kept["history_ages"].max(axis=1, initial=0.0)
    known = there.any(axis=1)
    made = {
        **kept,
        "user_count": there.sum(axis=1),
        "user_mean": _mean(np.where(there, rating, np.nan)),
        "user_stddev": _stddev(np.where(there, rating, np.nan)),
        "user_deviation": _mean(deviations),
        "user_year_mean": _mean(years),
        "user_year_stddev": _stddev(years),
        "days_since_first": np.where(known, oldest / SECONDS_PER_DAY, np.nan),
        "top_genres": _top_genres(movie, liked, movies.genres, schema.top_genres),
        "liked_movies": _liked_movies(movie, liked, schema.liked_length),
    }
    return {name: made[name].astype(array.dtype) if name in made else array for name, array in arrays.items()}


def without_demographics(arrays: Arrays) -> Arrays:
    """The same rows of users who have not said who they are: neither id nor gender, age and occupation."""
    missing = {feature.name: feature.missing for feature in FEATURES if feature.source == "user"}
    return {
        name: np.full_like(array, missing[name]) if name in missing else array
        for name, array in arrays.items()
    }


def _first(values: NDArray, number: int) -> NDArray:
    """`(n, length)`, newest first, with zeros after the first `number` places."""
    return np.where(np.arange(values.shape[1]) < number, values, np.zeros((), values.dtype))


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over axis 1 of what is not NaN; NaN where nothing is."""
    number = np.count_nonzero(~np.isnan(values), axis=1)
    return np.divide(np.nansum(values, axis=1), number, out=np.full(len(values), np.nan), where=number > 0)


def _stddev(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Population standard deviation over axis 1 of what is not NaN; NaN where nothing is."""
    return np.sqrt(_mean((values - _mean(values)[:, np.newaxis]) ** 2))


def _top_genres(
    movie: NDArray[np.integer], liked: NDArray[np.bool_], genres: NDArray[np.bool_], width: int
) -> NDArray[np.int64]:
    """Genre code + 1 of the genres of most liked movies, the lower code first of equals, 0 = padding."""
    counts = np.zeros((len(movie), genres.shape[1]), np.int64)
    for place in range(movie.shape[1]):  # all rows and places at once would need a gigabyte
        counts += genres[movie[:, place]] & liked[:, place, np.newaxis]
    best = np.argsort(-counts, axis=1, kind="stable")[:, :width]
    codes = np.where(np.take_along_axis(counts, best, axis=1) > 0, best + 1, 0)
    return np.pad(codes, ((0, 0), (0, width - codes.shape[1])))


def _liked_movies(movie: NDArray[np.integer], liked: NDArray[np.bool_], width: int) -> NDArray[np.integer]:
    """The liked ones among `movie` `(n, length)` moved together, newest first, 0 = padding; `(n, width)`."""
    order = np.argsort(~liked, axis=1, kind="stable")
    packed = np.take_along_axis(np.where(liked, movie, 0), order, axis=1)[:, :width]
    return np.pad(packed, ((0, 0), (0, width - packed.shape[1])))
