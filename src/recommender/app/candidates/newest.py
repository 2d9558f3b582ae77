"""What was released last, the same for everybody."""

from __future__ import annotations

from typing import ClassVar, Literal

from recommender.app.candidates.channel import Asked, Sources, register_channel
from recommender.app.candidates.orders import first_open
from recommender.app.models.asked_model import Scored


@register_channel("newest")
class NewestChannel:
    """Movies by year of release, the most rated of a year first; the score is the year."""

    waits_for: ClassVar[Literal["", "retrieval", "features"]] = ""

    def __init__(self, sources: Sources) -> None:
        pass

    def candidates(self, asked: Asked, limit: int) -> Scored:
        """See `Channel`; movies without a year are not new."""
        places = first_open(asked.orders.newest, asked.open, limit)
        years = asked.catalogue.release_years[1:][places].tolist()
        pairs = zip(places.tolist(), years, strict=True)
        return [(asked.catalogue.movie_ids[place], year) for place, year in pairs if year == year]
