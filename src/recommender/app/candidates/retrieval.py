"""What the model's retrieval scores highest in the whole catalogue."""

from __future__ import annotations

from typing import ClassVar, Literal

from recommender.app.candidates.channel import Asked, Sources, register_channel
from recommender.app.models.asked_model import Scored

# What a filter leaves out is asked for on top, but no more than this: the model knows no filters.
MOST = 2_000


@register_channel("retrieval")
class RetrievalChannel:
    """The model takes the user's features as of now, so a rating just given counts."""

    waits_for: ClassVar[Literal["", "retrieval", "features"]] = "retrieval"

    def __init__(self, sources: Sources) -> None:
        self._model = sources.model

    def candidates(self, asked: Asked, limit: int) -> Scored:
        """See `Channel`."""
        num_movies = len(asked.open)
        share = max(int(asked.open.sum()), 1) / num_movies
        k = min(max(round(limit / share), limit), max(MOST, limit), num_movies)
        found = self._model.retrieve(asked.features.user, k)
        asked.retrieved = found
        return [pair for pair in found if asked.is_open(pair[0])][:limit]
