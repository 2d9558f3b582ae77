"""A list as the pipeline makes it: movie ids with their scores, before titles are put to them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Place:
    """One place; see `answers.Recommendation` for what the fields mean."""

    movie_id: str
    score: float
    prediction: float | None
    channels: tuple[str, ...]
    because: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Timing:
    """One stage: its wall time and how many movies came out of it."""

    stage: str
    milliseconds: float
    movies: int | None = None


@dataclass(frozen=True)
class Listed:
    """The list, best first, what was left out on the way (`degraded`), and how long each stage took."""

    places: list[Place]
    degraded: list[str] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
