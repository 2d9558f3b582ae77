"""Reading a prepared data set: what baselines, models, evaluation and export share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from recommender.data.encode import Arrays, encode_features
from recommender.data.features import FEATURES, Feature
from recommender.data.interactions import SPLITS, Interactions
from recommender.data.schema import Schema
from recommender.data.shards import read_shard_columns, rows_of_shard, shard_paths
from recommender.data.timelines import Timeline, read_timeline, timeline_path
from recommender.errors import DataError

# The state of users and movies that each answer may know, and how many splits' ratings that includes.
SNAPSHOTS = {"validation": 1, "test": 2, "serving": 3}

FEATURE_FOLDER = "features"
TIMELINES = "timelines.json"  # which timeline each split's ratings and each snapshot see
# What says which history a row has: under which names `read_stored` gives these columns, and the timeline.
HISTORY_KEYS = {"_user": "user_id", "_count": "user_count", "_second": "timestamp"}
VISIBLE = "_visible"


@dataclass(frozen=True)
class Snapshot:
    """Every user's and every movie's features at one moment, rows in the order of their codes.

    `users` and `movies` hold encoded arrays; `timestamp` is the moment, seconds UTC: ages and
    days_since_first count up to it.
    """

    users: Arrays
    movies: Arrays
    timestamp: int


@dataclass(frozen=True)
class Prepared:
    """A folder written by `prepare`."""

    folder: Path

    @cached_property
    def schema(self) -> Schema:
        """Vocabularies, statistics and sizes."""
        return Schema.model_validate_json((self.folder / "schema.json").read_text(encoding="utf-8"))

    @cached_property
    def interactions(self) -> Interactions:
        """All ratings in file order."""
        path, names = self.folder / "interactions.parquet", ("user", "movie", "rating", "timestamp", "split")
        # One at a time: a table of all would be there beside its copies.
        columns = {name: pq.read_table(path, columns=[name])[name].to_numpy() for name in names}
        return Interactions(**columns, num_users=self.schema.num_users, num_movies=self.schema.num_movies)

    @cached_property
    def users(self) -> pd.DataFrame:
        """user_id, gender, age, occupation, zip_code in the order of codes."""
        return pd.read_parquet(self.folder / "users.parquet")

    @cached_property
    def movies(self) -> pd.DataFrame:
        """movie_id, title, genres, release_year, imdb_url, tmdb_url in the order of codes."""
        return pd.read_parquet(self.folder / "movies.parquet")

    def feature_shards(self) -> list[Path]:
        """Parquet files with the features of all ratings, in the order of `row`; see `read_shard`."""
        return shard_paths(self.folder / FEATURE_FOLDER)

    def read_shard(self, shard: Path, features: Sequence[Feature], split: str | None = None) -> Arrays:
        """Encoded features of the ratings in one of `feature_shards`, and their `row` int64 `(n,)`.

        Of one split or, without `split`, of all. Read shards through this and not as Parquet: what a user
        rated before is not stored once per rating. `row` indexes `interactions`, which has rating and split.
        """
        stored = self.read_stored(shard, features, SPLITS if split is None else (split,))
        return {**self.with_histories(stored, features), "row": stored["row"]}

    def read_stored(self, shard: Path, features: Sequence[Feature], splits: Sequence[str]) -> Arrays:
        """Of the ratings of `splits` in a shard what stands there: encoded features but sequences, and `row`.

        Where there are sequences among `features`, also which history each row has: a few numbers, of which
        `with_histories` makes the lists, which are some hundred times as large. Raises `DataError` for a
        shard that cannot be read.
        """
        of_histories = HISTORY_KEYS.values() if _has_sequences(features) else ()
        stored = [column for feature in _stored(features) for column in feature.columns]
        table = read_shard_columns(shard, list(dict.fromkeys(["row", *of_histories, *stored])))
        split = self.interactions.split[table["row"].to_numpy()]
        if len(set(splits)) < len(SPLITS):
            of_splits = np.isin(split, [SPLITS.index(name) for name in splits])
            table, split = table.filter(pa.array(of_splits)), split[of_splits]
        seen = np.array([self._seen["splits"][name] for name in SPLITS], np.int8)[split]
        return {**self._encode(table, features, seen), "row": table["row"].to_numpy()}

    def with_histories(self, stored: Arrays, features: Sequence[Feature]) -> Arrays:
        """Encoded columns of `features` for rows of `read_stored`, sequences gathered from timelines."""
        arrays = dict(stored)
        for feature in features:
            if feature.kind != "sequence":
                continue
            seen = stored[VISIBLE]
            # Where there are no rows, the arrays have no rows, but their widths.
            for visible in np.unique(seen) if len(seen) else self._seen["splits"].values():
                rows = seen == visible
                keys = [stored[name][rows] for name in HISTORY_KEYS]
                found = self._sequence(feature, int(visible), *keys)
                if rows.all():
                    arrays |= found
                    break
                for name, values in found.items():
                    whole = arrays.setdefault(name, np.zeros((len(seen), values.shape[1]), values.dtype))
                    whole[rows] = values
        return {column: arrays[column] for feature in features for column in feature.columns}

    def split_counts(self) -> NDArray[np.int64]:
        """How many ratings of each split each of `feature_shards` holds, `(shards, splits)`.

        Raises `DataError` where the shards together do not hold every rating once.
        """
        ends = np.cumsum([rows_of_shard(shard) for shard in self.feature_shards()])
        found = int(ends[-1]) if len(ends) else 0
        if found != len(self.interactions):
            raise DataError(
                f"{self.folder / FEATURE_FOLDER}: must hold features of {len(self.interactions):,} ratings, "
                f"prepare them again: found {found:,}"
            )
        parts = np.split(self.interactions.split, ends[:-1])
        return np.array([np.bincount(part, minlength=len(SPLITS)) for part in parts])

    def examples(self, split: str, features: Sequence[Feature]) -> Arrays:
        """Encoded features of one split's ratings, in file order; see `encode_features` for shapes."""
        parts = [self.read_shard(shard, features, split) for shard in self.feature_shards()]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0] if name != "row"}

    def column(self, name: str, split: str) -> NDArray:
        """One numeric column of the feature table for one split's ratings, in file order; NaN = missing."""
        mask = self.interactions.split == SPLITS.index(split)
        tables = [pq.read_table(shard, columns=[name]) for shard in self.feature_shards()]
        return pa.concat_tables(tables)[name].to_numpy()[mask]

    def genre_matrix(self) -> NDArray[np.bool_]:
        """Which movie has which genre, `(num_movies, num_genres)`, in the order of codes."""
        code = {genre: index for index, genre in enumerate(self.schema.genres)}
        matrix = np.zeros((len(self.movies), len(code)), np.bool_)
        for row, genres in enumerate(self.movies["genres"]):
            matrix[row, [code[genre] for genre in genres]] = True
        return matrix

    def snapshot(self, name: str) -> Snapshot:
        """What is known when answering for `validation`, for `test` or when `serving`."""
        users = pq.read_table(self.folder / f"users-{name}.parquet")
        movies = pq.read_table(self.folder / f"movies-{name}.parquet")
        of_users = [feature for feature in FEATURES if feature.source in ("user", "user_history")]
        of_movies = [feature for feature in FEATURES if feature.source in ("movie", "movie_history")]
        seen = np.full(len(users), self._seen["snapshots"][name], np.int8)
        return Snapshot(
            self.with_histories(self._encode(users, of_users, seen), of_users),
            encode_features(movies, of_movies, self.schema),
            int(pc.max(users["timestamp"]).as_py()),
        )

    @cached_property
    def _seen(self) -> dict[str, dict[str, int]]:
        """By name, how many splits' ratings a split's rows or a snapshot see: which timeline is theirs."""
        return json.loads((self.folder / TIMELINES).read_text(encoding="utf-8"))

    @cached_property
    def _timelines(self) -> dict[int, Timeline]:
        """The timelines that were needed so far."""
        return {}

    def _timeline(self, visible: int) -> Timeline:
        if visible not in self._timelines:
            path, schema = timeline_path(self.folder, visible), self.schema
            self._timelines[visible] = read_timeline(path, schema.num_users, schema.liked_threshold)
        return self._timelines[visible]

    def _encode(self, table: pa.Table, features: Sequence[Feature], seen: NDArray[np.int8]) -> Arrays:
        """Encoded columns that stand in `table`, and which history its rows have if there are sequences."""
        arrays = encode_features(table, _stored(features), self.schema)
        if _has_sequences(features):
            arrays |= {name: table[column].to_numpy() for name, column in HISTORY_KEYS.items()}
            arrays[VISIBLE] = seen
        return arrays

    def _sequence(
        self, feature: Feature, visible: int, user: NDArray, count: NDArray, now: NDArray
    ) -> Arrays:
        timeline = self._timeline(visible)
        if feature.name == "liked_movies":
            return timeline.liked(user, count, self.schema.liked_length)
        return timeline.histories(user, count, now, self.schema.history_length)

    def summary(self) -> str:
        """Counts per split and the share of its rows by users and of movies that training has not seen."""
        schema = self.schema
        lines = [
            f"{schema.dataset}: {len(self.interactions):,} ratings by {schema.num_users:,} users "
            f"of {schema.num_movies:,} movies, split by {schema.split}"
        ]
        for name, part in schema.parts.items():
            lines.append(
                f"  {name:<10} {part.rows:>9,} ratings  {part.users:>7,} users  {part.movies:>6,} movies  "
                f"rows of unseen users {part.unseen_user_share:6.1%}, movies {part.unseen_movie_share:6.1%}"
            )
        return "\n".join(lines)


def _stored(features: Sequence[Feature]) -> list[Feature]:
    """Those whose columns stand in the feature table: all but sequences."""
    return [feature for feature in features if feature.kind != "sequence"]


def _has_sequences(features: Sequence[Feature]) -> bool:
    return any(feature.kind == "sequence" for feature in features)
