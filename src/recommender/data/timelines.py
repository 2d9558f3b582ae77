"""What every user rated, in order, once; histories of any row are gathered from it instead of stored with it.

A feature table with the last 200 ratings in every row would be a hundred times as large. Of a row it suffices
to know the user and how many ratings count before it: `user_count`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from recommender.data.interactions import Interactions

Arrays = dict[str, NDArray]
Positions = NDArray[np.int64]
CHUNK = 1 << 16  # rows gathered at once


@dataclass(frozen=True)
class Timeline:
    """Ratings that count, by user, second and place in the file; all arrays are `(ratings,)`.

    User u's are at `starts[u]` to below `starts[u + 1]`. `liked_threshold` says which are likes.
    """

    movie: NDArray[np.int32]
    rating: NDArray[np.float32]
    deviation: NDArray[np.float32]
    timestamp: NDArray[np.int64]
    starts: Positions
    liked_threshold: float

    @cached_property
    def _likes_before(self) -> Positions:
        """How many likes stand before each position, `(ratings + 1,)`."""
        return np.append(0, np.cumsum(self.rating >= np.float32(self.liked_threshold)))

    @cached_property
    def _liked_movie(self) -> NDArray[np.int32]:
        liked = self.movie[self.rating >= np.float32(self.liked_threshold)]
        return np.append(liked, np.int32(0))  # what padding reads where nobody likes anything

    def histories(
        self, user: NDArray[np.integer], count: NDArray[np.integer], now: NDArray[np.integer], length: int
    ) -> Arrays:
        """The last `length` of users' first `count` ratings, newest first, as `encode_features` has them.

        `user` (codes), `count` and `now` (seconds) are `(n,)`, the arrays `(n, length)`; 0 is padding.
        """
        begin = self.starts[user]

        def gather(rows: slice, positions: Positions, there: NDArray[np.bool_]) -> Arrays:
            ages = now[rows, None] - self.timestamp[positions]
            return {
                "history_movies": np.where(there, self.movie[positions] + 1, 0),
                "history_ratings": np.where(there, self.rating[positions], 0),
                "history_deviations": np.where(there, self.deviation[positions], 0),
                "history_ages": np.where(there, ages, 0).astype(np.float32),
            }

        return _newest_first(begin, begin + count, length, gather)

    def liked(self, user: NDArray[np.integer], count: NDArray[np.integer], length: int) -> Arrays:
        """The last `length` likes among users' first `count` ratings, newest first."""
        begin = self.starts[user]
        first, end = self._likes_before[begin], self._likes_before[begin + count]

        def gather(rows: slice, positions: Positions, there: NDArray[np.bool_]) -> Arrays:
            return {"liked_movies": np.where(there, self._liked_movie[positions] + 1, 0)}

        return _newest_first(first, end, length, gather)


def _newest_first(
    begin: Positions,
    end: Positions,
    length: int,
    gather: Callable[[slice, Positions, NDArray[np.bool_]], Arrays],
) -> Arrays:
    """`gather(rows, positions, there)` for blocks of rows, whose items are at `begin` to below `end`."""
    whole: Arrays = {}
    steps = np.arange(length)
    for first in range(0, max(len(begin), 1), CHUNK):
        rows = slice(first, first + CHUNK)
        positions = end[rows, None] - 1 - steps
        there = positions >= begin[rows, None]
        for name, values in gather(rows, np.where(there, positions, 0), there).items():
            if first == 0:
                whole[name] = np.empty((len(begin), length), values.dtype)
            whole[name][rows] = values
    return whole


def timeline_path(folder: Path, visible: int) -> Path:
    """Where the ratings of the first `visible` splits are in a prepared data set."""
    return folder / f"timeline-{visible}.parquet"


def write_timeline(
    path: Path, interactions: Interactions, visible: int, deviation: NDArray[np.float32]
) -> None:
    """Write the ratings of the first `visible` splits; `deviation` `(n,)` is the feature SQL's, by row."""
    rows = np.flatnonzero(interactions.split < visible)
    order = rows[np.lexsort((interactions.timestamp[rows], interactions.user[rows]))]
    columns = {name: getattr(interactions, name)[order] for name in ("user", "movie", "rating", "timestamp")}
    pq.write_table(pa.table({**columns, "deviation": deviation[order]}), path, compression="zstd")


def read_timeline(path: Path, num_users: int, liked_threshold: float) -> Timeline:
    """Read what `write_timeline` wrote."""

    def read(name: str) -> NDArray:
        """One column at a time: in Arrow's memory and numpy's, all of them would stand twice."""
        return pq.read_table(path, columns=[name])[name].to_numpy()

    columns = {name: read(name) for name in ("movie", "rating", "deviation", "timestamp")}
    per_user = np.bincount(read("user"), minlength=num_users)
    return Timeline(**columns, starts=np.append(0, np.cumsum(per_user)), liked_threshold=liked_threshold)
