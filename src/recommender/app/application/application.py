"""The online recommender without HTTP: everything that the JSON API and the pages ask."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Sequence

from recommender.app.answers import (
    Event,
    ExperimentResult,
    GenreFacts,
    ListedMovie,
    MovieFacts,
    Recommendations,
    SimilarMovie,
    UserFacts,
)
from recommender.app.application.changes import Changes
from recommender.app.application.clock import Clock
from recommender.app.application.errors import InvalidRequestError, NotFoundError
from recommender.app.application.facts import Facts
from recommender.app.application.known_catalogue import KnownCatalogue
from recommender.app.application.lists import Asked, ListMaker, Lists
from recommender.app.application.shelves import SORTS, Sort
from recommender.app.events import Acted, EventLog
from recommender.app.events.experiment_results import experiment_results
from recommender.app.features import FeatureStore, StoreUnavailableError
from recommender.app.models import AskedModel, ModelUnavailableError
from recommender.app.monitoring import Metrics
from recommender.app.settings import AppSettings


class Application:
    """Plain synchronous methods that wait for store and model; safe to use from several threads.

    All raise `NotFoundError` for unknown ids, `InvalidRequestError` for what cannot be asked and
    `StoreUnavailableError` while the store is down. Lists do without it; so do movies, genres and search,
    which are then as they were at the last push.
    """

    def __init__(
        self,
        settings: AppSettings,
        store: FeatureStore,
        model: AskedModel,
        pipeline: ListMaker,
        events: EventLog,
    ) -> None:
        self.settings = settings
        self.store = store
        self.model = model
        self.metrics = Metrics()
        self._clock = Clock(settings.clock)
        self._known = KnownCatalogue(store)
        self._facts = Facts(store, model, self._known, self._clock)
        self._changes = Changes(store, self._facts, self._known, self._clock)
        self._events = events
        self._lists = Lists(settings, store, pipeline, events, self._known, self._clock)

    def movie(self, movie_id: str) -> MovieFacts:
        """A movie with the number and mean of its ratings and who rated it highest.

        While the store is down, those of the last push, marked as `degraded`.
        """
        return self._facts.movie(movie_id)

    def user(self, user_id: str) -> UserFacts:
        """A user with statistics, favourite genres and all ratings, newest first."""
        return self._facts.user(user_id)

    def users(self, n: int) -> list[str]:
        """The ids of `n` users of the data, the same ones each time; fewer where there are fewer."""
        catalogue = self._known.latest().catalogue
        number = catalogue.schema.num_users
        chosen = random.Random(0).sample(range(number), min(n, number))
        return [catalogue.user_ids[user] for user in chosen]

    def similar(self, movie_id: str, n: int = 10, model: str = "embedding") -> list[SimilarMovie]:
        """Movies like one, by `embedding`, `item2vec`, `graph` or `genre`, the most similar first."""
        return self._facts.similar(movie_id, n, model)

    def genres(self) -> list[GenreFacts]:
        """All genres by name."""
        return self._known.latest().genres()

    def rating_scale(self) -> tuple[float, float]:
        """The lowest and the highest rating that there is."""
        return self._known.latest().catalogue.schema.rating_scale

    def genre_movies(self, genre: str, n: int = 20, sort: Sort = "rating") -> list[ListedMovie]:
        """The first movies of a genre; see `Shelves` for how averages are shrunk."""
        if sort not in SORTS:
            raise InvalidRequestError(f"sort: must be one of {', '.join(SORTS)}, received {sort!r}")
        shelves = self._known.latest()
        if genre not in shelves.catalogue.schema.genres:
            raise NotFoundError(f"no genre has the name {genre!r}")
        return shelves.of_genre(genre, n, sort)

    def search(self, query: str, n: int = 10) -> list[ListedMovie]:
        """Movies by title: as typed first, then with typing errors; see `TitleIndex`."""
        shelves = self._known.latest()
        return [shelves.listed(place) for place in shelves.index.search(query, n)]

    def recommend(
        self,
        user_id: str,
        n: int = 10,
        model: str | None = None,
        genre: str | None = None,
        year_from: int | None = None,
        year_to: int | None = None,
        diversity: float | None = None,
        explain: bool = False,
        request_id: str | None = None,
        began: float | None = None,
    ) -> Recommendations:
        """A list for a user; see `Lists.recommend`. None leaves a choice to experiments and settings.

        `began` is when it was asked for, by `time.perf_counter()`, by default now.
        """
        filters = (genre, year_from, year_to)
        began = time.perf_counter() if began is None else began
        request_id = request_id or uuid.uuid4().hex
        asked = Asked(user_id, request_id, began, n, model, *filters, diversity, explain)
        answer = self._lists.recommend(asked)
        self.metrics.listed(answer)
        return answer

    def predict(self, user_id: str, movie_id: str) -> float | None:
        """What the user is expected to give the movie; None where model or store do not answer."""
        return self._facts.predict(user_id, movie_id)

    def rate(self, user_id: str, movie_id: str, rating: float, timestamp: int | None = None) -> int:
        """Count a rating, durably, in the place of an older one of the same movie; returns its second."""
        second = self._changes.rate(user_id, movie_id, rating, timestamp)
        self.metrics.rated()
        return second

    def unrate(self, user_id: str, movie_id: str) -> None:
        """Take a rating back, durably."""
        self._changes.unrate(user_id, movie_id)

    def newcomer(
        self,
        liked: Sequence[str],
        gender: str | None = None,
        age: int | None = None,
        occupation: str | None = None,
        n: int = 10,
        request_id: str | None = None,
    ) -> tuple[str, Recommendations]:
        """Make a user who likes these movies; returns the new id and a first list."""
        user_id = self._changes.add_newcomer(liked, gender, age, occupation)
        return user_id, self.recommend(user_id, n, request_id=request_id)

    def record(self, event: Event) -> bool:
        """Log an impression or a click; False where it refers to no list that is known, and does not count.

        It is on the disk a tenth of a second later; see `EventLog`.
        """
        counts = self._events.add(Acted.of(event, time.time()))
        self.metrics.recorded(event, counts)
        return counts

    def experiments(self) -> list[ExperimentResult]:
        """Every experiment with its traffic and click-through so far."""
        return experiment_results(self.settings.experiments, self._events.traffic)

    def readiness(self) -> dict[str, int | None]:
        """Which versions of model and store answer; None for what does not."""
        return {"model_version": self._model_version(), "store_version": self._store_version()}

    def metrics_page(self) -> bytes:
        """Everything counted, for Prometheus."""
        state = self.readiness()
        return self.metrics.page(state["model_version"], state["store_version"], self._lists.breakers())

    def close(self) -> None:
        """Write what is left of the event log, and let go of store and model."""
        self._lists.close()
        self._events.close()
        self.model.close()
        self.store.close()

    def _model_version(self) -> int | None:
        try:
            return self.model.describe().version
        except ModelUnavailableError:
            return None

    def _store_version(self) -> int | None:
        try:
            return self.store.version()
        except StoreUnavailableError:
            return None
