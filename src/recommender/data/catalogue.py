"""Codes: every user, movie and genre becomes an integer once, here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True)
class Catalogue:
    """Users and movies in the order of their codes.

    Those with a training rating come first, in the order of their first one: `known_users` and `known_movies`
    count them. A model's index is code + 1; 0 is padding or an id that the catalogue lacks. `users` and
    `movies` hold the canonical columns; `genres` names the genre codes.
    """

    users: pd.DataFrame
    movies: pd.DataFrame
    genres: list[str]
    known_users: int
    known_movies: int

    def for_sql(self) -> dict[str, pa.Table]:
        """The tables `users` and `movies` of the feature SQL, in codes."""
        code = {genre: index for index, genre in enumerate(self.genres)}
        genres = [[code[genre] for genre in movie] for movie in self.movies["genres"]]
        years = pa.array(self.movies["release_year"].astype("Int32"), pa.int32())
        movies = {"movie_id": _codes(self.movies), "genres": pa.array(genres, pa.list_(pa.int32()))}
        users = pa.Table.from_pandas(self.users[["gender", "age", "occupation"]], preserve_index=False)
        return {
            "movies": pa.table({**movies, "release_year": years}),
            "users": users.append_column("user_id", _codes(self.users)),
        }


def first_appearance_codes(
    ids: NDArray[np.integer], count: int, first: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], int]:
    """New codes for the ids `0..count-1`: those of rows where `first` holds, then the others, by appearance.

    Returns an int32 `(count,)` array from old to new code, and how many appear where `first` holds.
    """
    known = pd.unique(ids[first])
    order = pd.unique(np.concatenate([known, ids, np.arange(count, dtype=ids.dtype)]))
    codes = np.empty(count, np.int32)
    codes[order] = np.arange(count, dtype=np.int32)
    return codes, len(known)


def _codes(frame: pd.DataFrame) -> pa.Array:
    return pa.array(np.arange(len(frame), dtype=np.int32))
