"""What the store holds of a movie: sums up to its last second, and those of that second apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.app.features.rating_sums import NOTHING, SUMS, RatingSums

NEVER = -(2**62)  # the last second of what nobody has rated
MOVIE_STATE = np.dtype([("second", "<i8"), ("past", SUMS), ("latest", SUMS)])


@dataclass(frozen=True)
class MovieState:
    """Sums over all ratings before `second`, the last one that has a rating, and over those of that second.

    A question at `second` must not see the latter, a question after it must. `RatingSums.deviations` are
    those of the ratings from what their users had given by then.
    """

    second: int = NEVER
    past: RatingSums = NOTHING
    latest: RatingSums = NOTHING

    @classmethod
    def of(cls, rows: NDArray, deviations: NDArray[np.float64]) -> MovieState:
        """The state after a log's `rows` in the order of time."""
        if not len(rows):
            return cls()
        second = int(rows["timestamp"][-1])
        start = int(np.searchsorted(rows["timestamp"], second))
        past, latest = (
            RatingSums.of(rows["rating"][part], deviations[part])
            for part in (slice(0, start), slice(start, None))
        )
        return cls(second, past, latest)

    @classmethod
    def from_bytes(cls, content: bytes | None) -> MovieState:
        """What `to_bytes` gave; nothing is a movie without ratings."""
        if content is None:
            return cls()
        second, past, latest = np.frombuffer(content, MOVIE_STATE)[0].item()
        return cls(second, RatingSums(*past), RatingSums(*latest))

    def to_bytes(self) -> bytes:
        """72 bytes, `MOVIE_STATE`."""
        return np.array((self.second, self.past, self.latest), MOVIE_STATE).tobytes()

    def plus(self, second: int, sums: RatingSums) -> MovieState:
        """With ratings of a second; with the negative of their sums they are gone again."""
        if second > self.second:
            return MovieState(second, self.past.plus(self.latest), sums)
        if second == self.second:
            return MovieState(second, self.past, self.latest.plus(sums))
        return MovieState(self.second, self.past.plus(sums), self.latest)

    def before(self, second: int) -> RatingSums | None:
        """The sums over all ratings before a second; None where only the log can tell."""
        if second > self.second:
            return self.past.plus(self.latest)
        return self.past if second == self.second else None
