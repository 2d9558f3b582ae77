"""What the store holds of a user: the past up to the last second, and the ratings of that second apart."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recommender.app.features.movie_state import NEVER
from recommender.app.features.rating_logs import USER_LOG
from recommender.app.features.rating_sums import NOTHING, RatingSums
from recommender.app.features.store_catalogue import StoreCatalogue

# second | first | RatingSums | YearSums | lengths of genre_likes, liked, recent, latest
_HEAD = struct.Struct("<qq q3d q2d 4I")
_MOVIE = np.dtype("<u4")
_COUNT = np.dtype("<i4")
NO_RATINGS = np.empty(0, USER_LOG)
YearSums = tuple[int, float, float]  # number, sum and sum of squares of the years since 1900 of rated movies


@dataclass(frozen=True, eq=False)
class UserPast:
    """Everything that features need of a user's ratings before some second.

    `genre_likes` counts the liked movies by genre; `liked` are the last ones, `recent` the last ratings, both
    oldest first and no longer than features read them; `first` is the second of the first rating.
    """

    first: int = NEVER
    sums: RatingSums = NOTHING
    years: YearSums = (0, 0.0, 0.0)
    genre_likes: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, _COUNT))
    liked: NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, _MOVIE))
    recent: NDArray = field(default_factory=lambda: NO_RATINGS)

    def followed_by(self, rows: NDArray, catalogue: StoreCatalogue) -> UserPast:
        """The past after more ratings, in their order, none earlier than what is there."""
        if not len(rows):
            return self
        schema = catalogue.schema
        likes = catalogue.likes(rows["rating"])
        liked = rows["movie"][likes]
        genre_likes = catalogue.genre_matrix[liked].sum(axis=0, dtype=_COUNT)
        return UserPast(
            first=self.first if self.sums.number else int(rows["timestamp"][0]),
            sums=self.sums.plus(RatingSums.of(rows["rating"], rows["deviation"])),
            years=_plus_years(self.years, catalogue.years_since_1900[rows["movie"]]),
            genre_likes=self.genre_likes + genre_likes if len(self.genre_likes) else genre_likes,
            liked=np.concatenate([self.liked, liked])[-schema.liked_length :],
            recent=np.concatenate([self.recent, rows])[-schema.history_length :],
        )


@dataclass(frozen=True, eq=False)
class UserState:
    """The past before `second`, the last one with a rating, and the ratings of that second, `latest`."""

    second: int = NEVER
    past: UserPast = field(default_factory=UserPast)
    latest: NDArray = field(default_factory=lambda: NO_RATINGS)

    @classmethod
    def of(cls, rows: NDArray, catalogue: StoreCatalogue) -> UserState:
        """The state after all ratings of a user's log."""
        if not len(rows):
            return cls()
        second = int(rows["timestamp"][-1])
        start = int(np.searchsorted(rows["timestamp"], second))
        return cls(second, UserPast().followed_by(rows[:start], catalogue), rows[start:])

    def plus(self, row: NDArray, catalogue: StoreCatalogue) -> UserState:
        """With one more rating `(1,)`, none of an earlier second than the last."""
        second = int(row["timestamp"][0])
        if second == self.second:
            return UserState(second, self.past, np.concatenate([self.latest, row]))
        return UserState(second, self.past.followed_by(self.latest, catalogue), row)

    def before(self, second: int, catalogue: StoreCatalogue) -> UserPast | None:
        """What came before a second; None where only the log can tell."""
        if second > self.second:
            return self.past.followed_by(self.latest, catalogue)
        return self.past if second == self.second else None

    def to_bytes(self) -> bytes:
        """A head of fixed size and four arrays."""
        past = self.past
        arrays = (past.genre_likes, past.liked, past.recent, self.latest)
        head = _HEAD.pack(self.second, past.first, *past.sums, *past.years, *map(len, arrays))
        return b"".join([head, *(array.tobytes() for array in arrays)])

    @classmethod
    def from_bytes(cls, content: bytes | None) -> UserState:
        """What `to_bytes` gave; nothing is a user without ratings."""
        if content is None:
            return cls()
        second, first, *rest = _HEAD.unpack_from(content)
        arrays, offset = [], _HEAD.size
        for layout, length in zip((_COUNT, _MOVIE, USER_LOG, USER_LOG), rest[7:], strict=True):
            arrays.append(np.frombuffer(content, layout, length, offset))
            offset += length * layout.itemsize
        years = (rest[4], rest[5], rest[6])
        past = UserPast(first, RatingSums(*rest[:4]), years, arrays[0], arrays[1], arrays[2])
        return cls(second, past, arrays[3])


def _plus_years(sums: YearSums, years: NDArray[np.float64]) -> YearSums:
    known = years[~np.isnan(years)]
    return sums[0] + len(known), sums[1] + float(known.sum()), sums[2] + float(known @ known)
