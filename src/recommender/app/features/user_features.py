"""From a user's past to the declared features: by name for requests, encoded for a model in this process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommender.app.features.rating_sums import stddev
from recommender.app.features.store_catalogue import StoreCatalogue
from recommender.app.features.user_profile import UserProfile
from recommender.app.features.user_state import UserPast
from recommender.data.encode import Arrays

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class UserFeatures:
    """One user's features as of a second, which must not be earlier than what `past` holds."""

    user_id: str
    profile: UserProfile
    past: UserPast
    second: int
    catalogue: StoreCatalogue

    @cached_property
    def stored(self) -> Arrays:
        """The columns that the exported signatures `rank` and `retrieve_by_features` take, `(1,)` or
        `(1, length)`.

        Strings are object arrays, "" = missing; numbers float32, NaN = missing; lists newest first and not
        padded.
        """
        profile, names = self.profile, self.catalogue
        history = self.past.recent[::-1]
        return {
            "user_id": _texts(self.user_id),
            "gender": _texts(profile.gender or ""),
            "occupation": _texts(profile.occupation or ""),
            **{name: np.array([value], np.float32) for name, value in self._numbers().items()},
            "top_genres": _texts([names.schema.genres[code] for code in self._top_genres()]),
            "liked_movies": _texts([names.movie_ids[place] for place in self.past.liked[::-1].tolist()]),
            "history_movies": _texts([names.movie_ids[place] for place in history["movie"].tolist()]),
            "history_ratings": history["rating"][np.newaxis],
            "history_deviations": history["deviation"].astype(np.float32)[np.newaxis],
            "history_ages": self._ages(history).astype(np.float32)[np.newaxis],
        }

    def encoded(self) -> Arrays:
        """The same as `encode_features` makes them, `(1,)` or `(1, width)`."""
        schema, history = self.catalogue.schema, self.past.recent[::-1]
        categories = {
            name: np.array([_index(values, getattr(self.profile, name))], np.int32)
            for name, values in schema.categories.items()
        }
        length = schema.history_length
        return {
            "user_id": np.array([self.profile.index], np.int32),
            **categories,
            **{name: np.array([value], np.float32) for name, value in self._numbers().items()},
            "top_genres": _padded(self._top_genres() + 1, schema.top_genres, np.int32),
            "liked_movies": _padded(self.past.liked[::-1] + 1, schema.liked_length, np.int32),
            "history_movies": _padded(history["movie"] + 1, length, np.int32),
            "history_ratings": _padded(history["rating"], length, np.float32),
            "history_deviations": _padded(history["deviation"], length, np.float32),
            "history_ages": _padded(self._ages(history), length, np.float32),
        }

    def _numbers(self) -> dict[str, float]:
        sums = self.past.sums
        years, total, squares = self.past.years
        days = (self.second - self.past.first) / SECONDS_PER_DAY
        return {
            "age": np.nan if self.profile.age is None else self.profile.age,
            "user_count": sums.number,
            "user_mean": sums.mean,
            "user_stddev": sums.stddev,
            "user_deviation": sums.deviation,
            "user_year_mean": 1900 + total / years if years else np.nan,
            "user_year_stddev": stddev(years, total, squares),
            "days_since_first": days if sums.number else np.nan,
        }

    def _top_genres(self) -> NDArray[np.intp]:
        """Codes of the most liked genres, the lower code first where two are liked equally often."""
        likes = self.past.genre_likes
        best = np.argsort(-likes, kind="stable")[: self.catalogue.schema.top_genres]
        return best[likes[best] > 0]

    def _ages(self, history: NDArray) -> NDArray[np.int64]:
        return self.second - history["timestamp"]


def _texts(values: str | list[str]) -> NDArray:
    """An object array `(1,)` of a text, `(1, length)` of a list."""
    return np.array([values], object)


def _index(vocabulary: list[str], value: str | None) -> int:
    """Place in the vocabulary from 1; 0 where it is missing or not in it."""
    return vocabulary.index(value) + 1 if value in vocabulary else 0


def _padded(values: NDArray, width: int, dtype: type[np.generic]) -> NDArray:
    """`(1, width)`, filled up with zeros."""
    padded: NDArray = np.zeros((1, width), dtype)
    padded[0, : len(values)] = values
    return padded
