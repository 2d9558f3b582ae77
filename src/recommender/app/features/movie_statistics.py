"""What pages say of a movie's ratings, with every one that has come in live."""

from __future__ import annotations

from dataclasses import dataclass

from recommender.app.features.movie_state import MovieState


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
