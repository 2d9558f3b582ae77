"""The features of any movie at any second, also of one that nobody rated then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.data.encode import Arrays
from recommender.data.features import Feature
from recommender.data.interactions import SPLITS
from recommender.data.prepared import Prepared

LAST = "serving"  # the snapshot after all ratings


class MovieStates:
    """What the feature SQL says of movies, found by movie and second instead of by rating.

    A movie's history changes only with its ratings, and a row sees what is strictly earlier. So at second t a
    movie is as its next rating saw it, the first at t or later: no rating lies between the two. After its
    last rating it is as in the last snapshot. This holds in both feature modes, because a rating that others
    do not see (`counts` = false) has a row all the same.

    There is one state for each rating and a last one for each movie. `movie` `(states,)` is the code of each;
    `by_state` `(states, ...)` and `by_movie` `(num_movies, ...)` hold the encoded columns of those features
    that are of the movie's history and of the movie itself.
    """

    def __init__(self, prepared: Prepared, features: Sequence[Feature]) -> None:
        """Take those of `features` that are of movies."""
        interactions, snapshot = prepared.interactions, prepared.snapshot(LAST)
        self.by_movie = {column: snapshot.movies[column] for column in _columns_of(features, "movie")}
        self._start = int(interactions.timestamp.min())
        self._span = snapshot.timestamp - self._start + 1
        movie = np.append(interactions.movie, np.arange(interactions.num_movies, dtype=np.int32))
        last = np.full(interactions.num_movies, snapshot.timestamp)
        keys = self._keys(movie, np.append(interactions.timestamp, last))
        order = np.argsort(keys, kind="stable")
        self._sorted_keys, self.movie = keys[order], movie[order]
        history = [feature for feature in features if feature.source == "movie_history"]
        self.by_state = {
            column: np.append(values, snapshot.movies[column])[order]
            for column, values in _all_ratings(prepared, history).items()
        }

    def find(self, movie: NDArray[np.integer], timestamp: NDArray[np.integer]) -> NDArray[np.int64]:
        """The states of movies (codes) at seconds; both are of one shape or broadcast to it."""
        return np.searchsorted(self._sorted_keys, self._keys(movie, timestamp))

    def _keys(self, movie: NDArray[np.integer], timestamp: NDArray[np.integer]) -> NDArray[np.int64]:
        """Numbers that sort by movie, then by second; before and after the data it is its first and last."""
        passed = np.clip(timestamp - self._start, 0, self._span - 1)
        return movie.astype(np.int64) * self._span + passed


def _columns_of(features: Sequence[Feature], source: str) -> list[str]:
    return [column for feature in features if feature.source == source for column in feature.columns]


def _all_ratings(prepared: Prepared, features: Sequence[Feature]) -> Arrays:
    """Encoded columns of the ratings of all splits, in file order."""
    split = prepared.interactions.split
    order = np.argsort(np.argsort(split, kind="stable"))  # where each rating stands in the parts joined
    parts = [prepared.examples(name, features) for name in SPLITS]
    return {column: np.concatenate([part[column] for part in parts])[order] for column in parts[0]}
