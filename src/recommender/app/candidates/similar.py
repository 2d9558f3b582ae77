"""Movies like those that the user liked last."""

from __future__ import annotations

from collections import defaultdict
from typing import ClassVar, Literal

from recommender.app.candidates.channel import Asked, Sources, register_channel
from recommender.app.models.asked_model import Scored

LIKED = 10  # movies, the last ones
NEAREST = 30  # of each


@register_channel("similar")
class SimilarChannel:
    """A movie scores the sum of its similarities to the liked ones whose nearest movies it is among.

    As in Sarwar et al. 2001, "Item-based collaborative filtering recommendation algorithms", with every liked
    movie counting the same.
    """

    waits_for: ClassVar[Literal["", "retrieval", "features"]] = "features"

    def __init__(self, sources: Sources) -> None:
        self._neighbours = sources.neighbours

    def candidates(self, asked: Asked, limit: int) -> Scored:
        """See `Channel`."""
        scores: defaultdict[str, float] = defaultdict(float)
        for place in asked.features.of_user.past.liked[-LIKED:].tolist():
            liked = asked.catalogue.movie_ids[place]
            for movie_id, similarity in self._neighbours.of(liked, asked.features.version)[:NEAREST]:
                scores[movie_id] += similarity
        best = sorted(scores.items(), key=lambda pair: -pair[1])
        return [pair for pair in best if asked.is_open(pair[0])][:limit]
