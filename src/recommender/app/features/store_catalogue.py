"""What one version of the store knows of all movies, and the schema by which features are encoded."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommender.app.features.errors import StoreUnavailableError
from recommender.app.features.packed_arrays import PackedTexts, pack, unpack
from recommender.app.features.rated_movies import RatedMovies
from recommender.data.interactions import Interactions
from recommender.data.links import URLS
from recommender.data.prepared import Prepared
from recommender.data.schema import Schema

LAYOUT = 2  # counts up when any encoding of the store changes, so that older contents are not misread
HALF_LIFE_DAYS = 3.0


@dataclass(frozen=True, eq=False)
class StoreCatalogue:
    """The movies in the order of their codes, as of the push; live ratings change nothing here.

    `genres` `(num_movies + 1, genres_per_movie)`, genre code + 1, and `release_years` `(num_movies + 1,)`,
    NaN = missing, are by model index, row 0 = unknown; `rated` is what the ratings said; `urls`, by kind,
    "" = none; `user_ids` names the users of `rated.top_raters`. `pushed_at` is the second of the push by the
    clock of its machine.
    """

    schema: Schema
    movie_ids: list[str]
    titles: list[str]
    genres: NDArray[np.int32]
    release_years: NDArray[np.float32]
    rated: RatedMovies
    user_ids: PackedTexts
    urls: dict[str, PackedTexts]
    pushed_at: int

    @classmethod
    def of(
        cls,
        prepared: Prepared,
        ratings: Interactions | None = None,
        half_life_days: float = HALF_LIFE_DAYS,
    ) -> StoreCatalogue:
        """The movies of a prepared data set, and what `ratings` say of them (None: all of its ratings)."""
        movies, schema = prepared.movies, prepared.schema
        return cls(
            schema=schema,
            movie_ids=movies["movie_id"].tolist(),
            titles=movies["title"].tolist(),
            genres=_padded(movies["genres"], schema),
            release_years=np.array([np.nan, *movies["release_year"].astype("float64")], np.float32),
            rated=RatedMovies.of(prepared.interactions if ratings is None else ratings, half_life_days),
            user_ids=PackedTexts.of(prepared.users["user_id"]),
            urls={kind: PackedTexts.of(movies[kind].astype(object).fillna("")) for kind in URLS},
            pushed_at=int(time.time()),
        )

    def to_bytes(self) -> bytes:
        """Texts as JSON, arrays as they are, with the layout of everything that is stored."""
        about = {
            "layout": LAYOUT,
            "schema": self.schema.model_dump(mode="json"),
            "movie_ids": self.movie_ids,
            "titles": self.titles,
            "ends_at": self.ends_at,
            "pushed_at": self.pushed_at,
        }
        arrays = {"genres": self.genres, "release_years": self.release_years, **self.rated.arrays()}
        for kind, texts in {"user_ids": self.user_ids, **self.urls}.items():
            arrays |= {f"{kind}.ends": texts.ends, f"{kind}.letters": texts.letters}
        return pack(about, arrays)

    @classmethod
    def from_bytes(cls, content: bytes) -> StoreCatalogue:
        """What `to_bytes` gave; raises `StoreUnavailableError` for another layout."""
        about, arrays = unpack(content)
        if about["layout"] != LAYOUT:
            raise StoreUnavailableError(
                f"the feature store has layout {about['layout']}, this program reads layout {LAYOUT}: "
                "run recommender features push"
            )
        user_ids, *urls = (
            PackedTexts(arrays[f"{kind}.ends"], arrays[f"{kind}.letters"]) for kind in ("user_ids", *URLS)
        )
        return cls(
            schema=Schema.model_validate(about["schema"]),
            movie_ids=about["movie_ids"],
            titles=about["titles"],
            genres=arrays["genres"],
            release_years=arrays["release_years"],
            rated=RatedMovies.of_arrays(arrays, about["ends_at"]),
            user_ids=user_ids,
            urls=dict(zip(URLS, urls, strict=True)),
            pushed_at=about["pushed_at"],
        )

    @cached_property
    def places(self) -> dict[str, int]:
        """The code of each movie id."""
        return {movie_id: place for place, movie_id in enumerate(self.movie_ids)}

    @property
    def rating_counts(self) -> NDArray[np.int32]:
        """How many ratings each movie had, `(num_movies,)`."""
        return self.rated.counts

    @property
    def rating_means(self) -> NDArray[np.float64]:
        """Mean rating of each movie, `(num_movies,)`, NaN = not rated; not shrunk."""
        return self.rated.means

    @property
    def recent_popularity(self) -> NDArray[np.float32]:
        """Ratings of each movie, recent ones counting more, `(num_movies,)`; see `RatedMovies`."""
        return self.rated.recent_popularity

    @property
    def ends_at(self) -> int:
        """The second of the last rating that was pushed; 0 where there was none."""
        return self.rated.ends_at

    def genre_names(self, code: int) -> list[str]:
        """The genres of a movie."""
        return [self.schema.genres[genre - 1] for genre in self.genres[code + 1].tolist() if genre]

    def release_year(self, code: int) -> int | None:
        """The release year of a movie."""
        year = self.release_years[code + 1]
        return None if np.isnan(year) else int(year)

    def links(self, code: int) -> dict[str, str]:
        """Addresses of pages about a movie, as {"imdb": ..., "tmdb": ...}; those that the data has."""
        found = {kind.removesuffix("_url"): texts[code] for kind, texts in self.urls.items()}
        return {kind: url for kind, url in found.items() if url}

    def top_raters(self, code: int) -> list[str]:
        """Up to ten ids of the users who rated a movie highest, the newest first among equal ratings."""
        return [self.user_ids[user] for user in self.rated.top_raters[code].tolist() if user >= 0]

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


def _padded(genres: Iterable[Iterable[str]], schema: Schema) -> NDArray[np.int32]:
    """Genre code + 1 of each movie from row 1 on, filled up with zeros."""
    code = {genre: index for index, genre in enumerate(schema.genres, start=1)}
    padded = np.zeros((schema.num_movies + 1, schema.genres_per_movie), np.int32)
    for row, names in enumerate(genres, start=1):
        codes = [code[name] for name in names]
        padded[row, : len(codes)] = codes
    return padded
