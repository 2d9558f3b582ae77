"""One list of candidates out of those of several channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recommender.app.candidates.channel import Asked
from recommender.app.models.asked_model import Scored

RANK_CONSTANT = 60


@dataclass(frozen=True)
class Candidate:
    """A movie, all channels that gave it, and how high they ranked it together."""

    movie_id: str
    score: float
    channels: tuple[str, ...]


def merge(found: Mapping[str, Scored], weights: Mapping[str, int], asked: Asked) -> list[Candidate]:
    """Every movie that is open once, best first, by weighted reciprocal rank fusion.

    The score is the sum over channels of weight / (60 + rank), rank counted from 1, over the sum of all
    weights: scores of different channels do not compare, their ranks do. After Cormack, Clarke and Büttcher
    2009, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", where all
    weights are 1; here a channel that may give more candidates counts more.
    """
    scores: dict[str, float] = {}
    channels: dict[str, tuple[str, ...]] = {}
    total = sum(weights.values())
    for channel, scored in found.items():
        weight = weights[channel] / total
        for rank, (movie_id, _) in enumerate(scored, start=1):
            scores[movie_id] = scores.get(movie_id, 0.0) + weight / (RANK_CONSTANT + rank)
            channels[movie_id] = (*channels.get(movie_id, ()), channel)
    best = sorted(scores, key=lambda movie_id: -scores[movie_id])
    return [
        Candidate(movie_id, scores[movie_id], channels[movie_id])
        for movie_id in best
        if asked.is_open(movie_id)
    ]
