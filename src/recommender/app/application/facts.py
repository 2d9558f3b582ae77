"""What is known of movies and users, and which movies are like one."""

from __future__ import annotations

import logging
from typing import Any, Literal, get_args

import numpy as np

from recommender.app.answers import FavouriteGenre, MovieFacts, RatedMovie, Rater, SimilarMovie, UserFacts
from recommender.app.application.clock import Clock
from recommender.app.application.errors import InvalidRequestError, NotFoundError
from recommender.app.application.known_catalogue import KnownCatalogue
from recommender.app.application.shelves import Shelves
from recommender.app.features import FeatureStore, StoreUnavailableError
from recommender.app.features.rating_changes import Rated
from recommender.app.models import AskedModel, ModelUnavailableError

log = logging.getLogger(__name__)

SimilarityModel = Literal["embedding", "item2vec", "graph", "genre"]
SIMILARITY_MODELS: tuple[SimilarityModel, ...] = get_args(SimilarityModel)


class Facts:
    """Reads the store; all methods raise `NotFoundError` for unknown ids and `StoreUnavailableError`."""

    def __init__(self, store: FeatureStore, model: AskedModel, known: KnownCatalogue, clock: Clock) -> None:
        self._store = store
        self._model = model
        self._known = known
        self._clock = clock

    def movie(self, movie_id: str) -> MovieFacts:
        """A movie with the number and mean of its ratings, live ones included.

        While the store is down: those of the push, nobody who rated it highest, and `degraded` says so.
        """
        shelves = self._known.latest()
        place = self._place(shelves, movie_id)
        try:
            self._known.check_reachable()
            statistics = self._store.movie_statistics(movie_id)
            raters = self._top_raters(shelves, place)
        except StoreUnavailableError as error:
            log.warning("movie as of the last push: %s", error)
            pushed = shelves.pushed_statistics(place)
            return MovieFacts(**shelves.about(place), **pushed, top_raters=[], degraded=["features"])
        return MovieFacts(
            **shelves.about(place), count=statistics.count, average=statistics.mean, top_raters=raters
        )

    def user(self, user_id: str) -> UserFacts:
        """A user with all ratings, newest first; favourite genres are those of most liked movies."""
        self.check_user(user_id)
        shelves = self._known.current()
        places = shelves.catalogue.places
        # A push may have come between, with movies that these shelves lack.
        ratings = [rated for rated in self._store.ratings_of(user_id) if rated.movie_id in places]
        given = [rated.rating for rated in ratings]
        profile = self._store.features_for(user_id, [], self._clock.now(shelves) + 1).of_user.profile
        return UserFacts(
            user_id=user_id,
            gender=profile.gender,
            age=profile.age,
            occupation=profile.occupation,
            count=len(given),
            average=sum(given) / len(given) if given else None,
            highest=max(given, default=None),
            lowest=min(given, default=None),
            favourite_genres=_favourite_genres(shelves, ratings),
            history=_history(shelves, ratings),
        )

    def similar(self, movie_id: str, n: int, model: str) -> list[SimilarMovie]:
        """Up to `n` movies like one, the most similar first, without the movie itself."""
        if model not in SIMILARITY_MODELS:
            choices = ", ".join(SIMILARITY_MODELS)
            raise InvalidRequestError(f"model: must be one of {choices}, received {model!r}")
        shelves = self._known.latest()
        self._place(shelves, movie_id)
        if model == "embedding":
            found = self._model.similar(movie_id, n)
        else:
            self._known.check_reachable()
            found = self._store.neighbours(model, movie_id, n)
        places = shelves.catalogue.places
        return [
            SimilarMovie(**shelves.about(places[other]), score=score)
            for other, score in found
            if other in places  # the model may be of older data
        ]

    def predict(self, user_id: str, movie_id: str) -> float | None:
        """What the ranking model expects the user to give the movie, or the probability of a like.

        None where model or store do not answer.
        """
        shelves = self._known.latest()
        self._place(shelves, movie_id)
        second = self._clock.now(shelves) + 1
        try:
            self.check_user(user_id)
            features = self._store.features_for(user_id, [movie_id], second)
            return float(self._model.rank(features, [movie_id], second).predictions[0])
        except (ModelUnavailableError, StoreUnavailableError) as error:
            log.warning("no prediction: %s", error)
            return None

    def check_user(self, user_id: str) -> None:
        """Raise `NotFoundError` for a user that the store lacks."""
        self._known.check_reachable()
        if not self._store.is_known(user_id):
            raise no_such_user(user_id)

    @staticmethod
    def _place(shelves: Shelves, movie_id: str) -> int:
        place = shelves.catalogue.places.get(movie_id)
        if place is None:
            raise NotFoundError(f"no movie has the id {movie_id!r}")
        return place

    def _top_raters(self, shelves: Shelves, place: int) -> list[Rater]:
        """Who rated the movie highest in the data, with what they say of it now."""
        movie_id = shelves.catalogue.movie_ids[place]
        raters = []
        for user_id in shelves.catalogue.top_raters(place):
            given = [rated for rated in self._store.ratings_of(user_id) if rated.movie_id == movie_id]
            if given:
                raters.append(Rater(user_id=user_id, rating=given[-1].rating))
        return raters


def no_such_user(user_id: str) -> NotFoundError:
    """The error of an unknown user."""
    return NotFoundError(f"no user has the id {user_id!r}")


def _history(shelves: Shelves, ratings: list[Rated]) -> list[RatedMovie]:
    places = shelves.catalogue.places
    return [
        RatedMovie(**shelves.about(places[rated.movie_id]), rating=rated.rating, timestamp=rated.timestamp)
        for rated in reversed(ratings)
    ]


def _favourite_genres(shelves: Shelves, ratings: list[Rated]) -> list[FavouriteGenre]:
    catalogue = shelves.catalogue
    places = np.array([catalogue.places[rated.movie_id] for rated in ratings], np.intp)
    liked = catalogue.likes(np.array([rated.rating for rated in ratings], np.float32))
    counts: Any = catalogue.genre_matrix[places[liked]].sum(axis=0)
    order = np.argsort(-counts, kind="stable")
    return [
        FavouriteGenre(genre=catalogue.schema.genres[genre], liked=int(counts[genre]))
        for genre in order.tolist()
        if counts[genre]
    ]
