"""What people tell: ratings given and taken back, and newcomers."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from recommender.app.application.clock import Clock
from recommender.app.application.errors import InvalidRequestError, NotFoundError
from recommender.app.application.facts import Facts
from recommender.app.application.known_catalogue import KnownCatalogue
from recommender.app.application.shelves import Shelves
from recommender.app.features import FeatureStore


class Changes:
    """Writes to the store; what a method has returned from is durable.

    Methods raise `NotFoundError` for unknown ids, `InvalidRatingError` and `InvalidRequestError` for what the
    store must not take, `StoreUnavailableError`.
    """

    def __init__(self, store: FeatureStore, facts: Facts, known: KnownCatalogue, clock: Clock) -> None:
        self._store = store
        self._facts = facts
        self._known = known
        self._clock = clock

    def rate(self, user_id: str, movie_id: str, rating: float, timestamp: int | None) -> int:
        """Count a rating, in the place of an older one of the same movie; returns its second.

        Of two ratings of a movie only the last is kept, whatever their seconds. Raises
        `InvalidRequestError` for a second that has not come yet.
        """
        shelves = self._known.current()
        catalogue = shelves.catalogue
        self._facts.check_user(user_id)
        if movie_id not in catalogue.places:
            raise NotFoundError(f"no movie has the id {movie_id!r}")
        second = self._second(shelves, timestamp)
        low, high = catalogue.schema.rating_scale
        if not low <= rating <= high:
            raise InvalidRequestError(f"rating: must be from {low:g} to {high:g}, received {rating!r}")
        self._store.add_rating(user_id, movie_id, rating, second, replace=True)
        return second

    def unrate(self, user_id: str, movie_id: str) -> None:
        """Take a rating back."""
        self._facts.check_user(user_id)
        if not self._store.remove_rating(user_id, movie_id):
            raise NotFoundError(f"user {user_id!r} has not rated a movie with the id {movie_id!r}")

    def add_newcomer(
        self, liked: Sequence[str], gender: str | None, age: int | None, occupation: str | None
    ) -> str:
        """Make a user who has given each liked movie the highest rating; returns the new id."""
        shelves = self._known.current()
        catalogue = shelves.catalogue
        for movie_id in liked:
            if movie_id not in catalogue.places:
                raise InvalidRequestError(f"liked: must be ids of movies, received {movie_id!r}")
        user_id = f"new-{uuid.uuid4().hex[:12]}"
        self._store.describe_user(user_id, gender, age, occupation)
        second = self._clock.now(shelves)
        for movie_id in dict.fromkeys(liked):
            self._store.add_rating(user_id, movie_id, catalogue.schema.rating_scale[1], second)
        return user_id

    def _second(self, shelves: Shelves, timestamp: int | None) -> int:
        now = self._clock.now(shelves)
        if timestamp is None:
            return now
        if not 0 <= timestamp <= now:
            raise InvalidRequestError(
                f"timestamp: must be from 0 to {now}, the present second, received {timestamp}"
            )
        return timestamp
