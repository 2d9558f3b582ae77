"""Because you liked: which movies of the user's own a recommendation is most like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recommender.app.candidates.neighbours import Neighbours
from recommender.app.features.store_catalogue import StoreCatalogue

REASONS = 2


class Explainer:
    """For one user: `liked` are the movies to give as reasons, newest first, in `version` of the store."""

    def __init__(
        self, neighbours: Neighbours, catalogue: StoreCatalogue, version: int, liked: Sequence[str]
    ) -> None:
        self._neighbours, self._catalogue, self._version = neighbours, catalogue, version
        self._liked = list(liked)
        self._among = set(liked)

    def by_neighbours(self, movie_id: str) -> tuple[str, ...]:
        """Liked movies among the neighbours of this one, nearest first; raises `StoreUnavailableError`."""
        near = self._neighbours.of(movie_id, self._version)
        return tuple(other for other, _ in near if other in self._among)[:REASONS]

    def by_genres(self, movie_id: str) -> tuple[str, ...]:
        """Liked movies that share genres, by the Jaccard index of both sets, the newest first of equals."""
        if not self._liked:
            return ()
        genres, places = self._catalogue.genre_matrix, self._catalogue.places
        own = genres[places[movie_id]]
        theirs = genres[[places[liked] for liked in self._liked]]
        shared = (theirs & own).sum(axis=1) / np.maximum((theirs | own).sum(axis=1), 1)
        best = np.argsort(-shared, kind="stable")[:REASONS]
        return tuple(self._liked[one] for one in best if shared[one] > 0)
