"""Reading a prepared data set: what baselines, models, evaluation and export share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from recommender.data.encode import Arrays, encode_features
from recommender.data.features import FEATURES, Feature
from recommender.data.interactions import SPLITS, Interactions
from recommender.data.schema import Schema

# The state of users and movies that each answer may know, and how many splits' ratings that includes.
SNAPSHOTS = {"validation": 1, "test": 2, "serving": 3}


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
        table = pq.read_table(self.folder / "interactions.parquet")
        columns = {name: table[name].to_numpy() for name in ("user", "movie", "rating", "timestamp", "split")}
        return Interactions(**columns, num_users=self.schema.num_users, num_movies=self.schema.num_movies)

    @cached_property
    def users(self) -> pd.DataFrame:
        """user_id, gender, age, occupation, zip_code in the order of codes."""
        return pd.read_parquet(self.folder / "users.parquet")

    @cached_property
    def movies(self) -> pd.DataFrame:
        """movie_id, title, genres, release_year, imdb_url, tmdb_url in the order of codes."""
        return pd.read_parquet(self.folder / "movies.parquet")

    def examples(self, split: str, features: Sequence[Feature]) -> Arrays:
        """Encoded features of one split's ratings, in file order; see `encode_features` for shapes."""
        mask = self.interactions.split == SPLITS.index(split)
        columns = [column for feature in features for column in feature.columns]
        table = pq.read_table(self.folder / "features.parquet", columns=columns).filter(mask)
        return encode_features(table, features, self.schema)

    def column(self, name: str, split: str) -> NDArray:
        """One numeric column of the feature table for one split's ratings, in file order; NaN = missing."""
        mask = self.interactions.split == SPLITS.index(split)
        column = pq.read_table(self.folder / "features.parquet", columns=[name])[name].to_numpy()
        return column[mask]

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
        return Snapshot(
            encode_features(users, of_users, self.schema),
            encode_features(movies, of_movies, self.schema),
            int(pc.max(users["timestamp"]).as_py()),
        )

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
