"""What has been rated most of late, the same for everybody."""

from __future__ import annotations

from typing import ClassVar, Literal

from recommender.app.candidates.channel import Asked, Sources, register_channel
from recommender.app.candidates.orders import first_open
from recommender.app.models.asked_model import Scored


@register_channel("recent")
class RecentChannel:
    """Popularity with a half-life, as of the last push."""

    waits_for: ClassVar[Literal["", "retrieval", "features"]] = ""

    def __init__(self, sources: Sources) -> None:
        pass

    def candidates(self, asked: Asked, limit: int) -> Scored:
        """See `Channel`."""
        places = first_open(asked.orders.recent, asked.open, limit)
        scores = asked.catalogue.recent_popularity[places]
        ids = [asked.catalogue.movie_ids[place] for place in places.tolist()]
        return list(zip(ids, scores.tolist(), strict=True))
