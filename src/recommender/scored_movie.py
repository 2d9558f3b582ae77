"""One place in a list of movies, however the list was asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ScoredMovie:
    """One place in an answer."""

    movie_id: str
    title: str
    score: float
