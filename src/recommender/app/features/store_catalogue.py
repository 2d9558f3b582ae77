"""What one version of the store knows of all movies, and the schema by which features are encoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import orjson
from numpy.typing import NDArray

from recommender.app.features.errors import StoreUnavailableError
from recommender.data.prepared import Prepared
from recommender.data.schema import Schema

LAYOUT = 1  # counts up when any encoding of the store changes, so that older contents are not misread


@dataclass(frozen=True, eq=False)
class StoreCatalogue:
    """Movies in the order of their codes: `movie_ids`; `genres` `(num_movies + 1, genres_per_movie)`, genre
    code + 1, and `release_years` `(num_movies + 1,)`, NaN = missing, both by model index, row 0 = unknown.
    """

    schema: Schema
    movie_ids: list[str]
    genres: NDArray[np.int32]
    release_years: NDArray[np.float32]

    @classmethod
    def of(cls, prepared: Prepared) -> StoreCatalogue:
        """The movies of a prepared data set."""
        code = {genre: index for index, genre in enumerate(prepared.schema.genres)}
        genres = [[code[genre] + 1 for genre in movie] for movie in prepared.movies["genres"]]
        years = prepared.movies["release_year"].astype("float64").tolist()
        return cls._build(prepared.schema, prepared.movies["movie_id"].tolist(), genres, years)

    @classmethod
    def _build(
        cls, schema: Schema, movie_ids: list[str], genres: list[list[int]], years: Sequence[float]
    ) -> StoreCatalogue:
        padded = np.zeros((len(movie_ids) + 1, schema.genres_per_movie), np.int32)
        for row, codes in enumerate(genres, start=1):
            padded[row, : len(codes)] = codes
        return cls(schema, movie_ids, padded, np.array([np.nan, *years], np.float32))

    def to_bytes(self) -> bytes:
        """JSON, with the layout of everything that is stored."""
        content = {
            "layout": LAYOUT,
            "schema": self.schema.model_dump(mode="json"),
            "movie_ids": self.movie_ids,
            "genres": [[code for code in row if code] for row in self.genres[1:].tolist()],
            "release_years": [None if np.isnan(year) else year for year in self.release_years[1:].tolist()],
        }
        return orjson.dumps(content)

    @classmethod
    def from_bytes(cls, content: bytes) -> StoreCatalogue:
        """What `to_bytes` gave; raises `StoreUnavailableError` for another layout."""
        read = orjson.loads(content)
        if read["layout"] != LAYOUT:
            raise StoreUnavailableError(
                f"the feature store has layout {read['layout']}, this program reads layout {LAYOUT}: "
                "run recommender features push"
            )
        years = [np.nan if year is None else year for year in read["release_years"]]
        return cls._build(Schema.model_validate(read["schema"]), read["movie_ids"], read["genres"], years)

    @cached_property
    def places(self) -> dict[str, int]:
        """The code of each movie id."""
        return {movie_id: place for place, movie_id in enumerate(self.movie_ids)}

    @cached_property
    def genre_matrix(self) -> NDArray[np.bool_]:
        """Which movie has which genre, `(num_movies, num_genres)`."""
        codes = np.arange(1, len(self.schema.genres) + 1)
        return (self.genres[1:, :, np.newaxis] == codes).any(axis=1)

    @cached_property
    def years_since_1900(self) -> NDArray[np.float64]:
        """`(num_movies,)`, NaN = missing."""
        return self.release_years[1:].astype(np.float64) - 1900

    @cached_property
    def rating_middle(self) -> float:
        """The middle of the rating scale."""
        return sum(self.schema.rating_scale) / 2

    def likes(self, ratings: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which ratings say that a movie is liked."""
        return ratings >= np.float32(self.schema.liked_threshold)
