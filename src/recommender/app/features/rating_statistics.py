"""What pages say of a movie's ratings and of a user's, with every rating that has come in live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.app.features.movie_state import MovieState
from recommender.app.features.rating_changes import Rated


@dataclass(frozen=True)
class MovieStatistics:
    """How many ratings a movie has, and their mean; None for no rating."""

    count: int
    mean: float | None

    @classmethod
    def of(cls, state: bytes | None) -> MovieStatistics:
        """What a stored movie state says."""
        movie = MovieState.from_bytes(state)
        sums = movie.past.plus(movie.latest)
        return cls(sums.number, sums.mean if sums.number else None)


@dataclass(frozen=True)
class UserSummary:
    """How many ratings a user has given, their mean, the highest and the lowest; None for no rating."""

    count: int
    mean: float | None
    highest: float | None
    lowest: float | None

    @classmethod
    def of(cls, ratings: Sequence[Rated]) -> UserSummary:
        """Over all ratings of a user."""
        if not ratings:
            return cls(0, None, None, None)
        given = [rated.rating for rated in ratings]
        return cls(len(given), sum(given) / len(given), max(given), min(given))
