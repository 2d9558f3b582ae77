"""What is popular in the genres that the user likes most."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from recommender.app.candidates.channel import Asked, Sources, register_channel
from recommender.app.candidates.orders import first_open
from recommender.app.models.asked_model import Scored

FAVOURITES = 3


@register_channel("genres")
class GenresChannel:
    """A movie scores log(1 + ratings) times the share of the user's likes that have one of its genres.

    Shares are among the favourite genres alone, the three with most likes; they add up for a movie that has
    several of them. Only the `limit` most popular movies of each genre are looked at.
    """

    waits_for: ClassVar[Literal["", "retrieval", "features"]] = ""

    def __init__(self, sources: Sources) -> None:
        pass

    def candidates(self, asked: Asked, limit: int) -> Scored:
        """See `Channel`."""
        likes = asked.features.of_user.past.genre_likes
        favourites = [code for code in np.argsort(-likes, kind="stable")[:FAVOURITES] if likes[code] > 0]
        if not favourites:
            return []
        catalogue, orders = asked.catalogue, asked.orders.by_genre
        places = np.unique(
            np.concatenate([first_open(orders[code], asked.open, limit) for code in favourites])
        )
        shares = likes[favourites] / likes[favourites].sum()
        weights = catalogue.genre_matrix[places][:, favourites] @ shares
        scores = weights * np.log1p(catalogue.rating_counts[places])
        best = np.argsort(-scores, kind="stable")[:limit]
        return [(catalogue.movie_ids[places[one]], float(scores[one])) for one in best]
