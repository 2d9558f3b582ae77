"""From a user to a list, within a time budget, whatever of its parts answers."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from recommender.app.candidates.channel import Asked, Sources
from recommender.app.candidates.neighbours import Neighbours
from recommender.app.candidates.orders import CatalogueOrders
from recommender.app.features.errors import StoreUnavailableError
from recommender.app.features.feature_store import FeatureStore
from recommender.app.features.store_catalogue import StoreCatalogue
from recommender.app.models.asked_model import AskedModel
from recommender.app.pipeline.channels import Channels
from recommender.app.pipeline.circuit_breaker import State
from recommender.app.pipeline.diversity import diversify, genre_similarity
from recommender.app.pipeline.explanation import Explainer
from recommender.app.pipeline.filters import open_movies
from recommender.app.pipeline.guard import Guard
from recommender.app.pipeline.list_run import ListRun
from recommender.app.pipeline.listed import Listed, Place
from recommender.app.pipeline.ordering import Ordered, Ordering
from recommender.app.pipeline.user_now import UserNow, nobody, read_user
from recommender.app.pipeline.wanted import Wanted
from recommender.app.settings import AppSettings

log = logging.getLogger(__name__)

# By which share of the budget each stage has to be done, so that a slow one leaves time for those after it;
# what comes between candidates and explanations is in `ordering`.
USER, CANDIDATES, EXPLANATION = 0.4, 0.6, 1.0
POOL = 10  # diversity chooses among so many movies for each place


class Pipeline:
    """Makes lists; safe to use from several threads. Store and model belong to whoever made them."""

    def __init__(self, settings: AppSettings, store: FeatureStore, model: AskedModel) -> None:
        """Raises `ConfigError` for a variant with a channel that is none."""
        self._budget_ms = settings.budget_ms
        self._store = store
        self._guards = {name: Guard(name) for name in ("features", "retrieval", "ranking")}
        self._neighbours = Neighbours(store)
        self._channels = Channels(settings, Sources(model, self._neighbours), self._guards)
        self._ordering = Ordering(store, model, self._guards)
        self._orders: CatalogueOrders | None = None
        try:  # whatever happens to the store later, its movies are known
            self._orders_of(store.catalogue())
        except StoreUnavailableError as error:
            log.warning("%s", error)

    def recommend(self, wanted: Wanted, began: float | None = None) -> Listed:
        """The list, with what was left out on the way in `degraded`.

        Without the user's features it is of popular movies, seen ones among them, as nobody can tell which
        those are. The time that it has began to run at `began` by `time.perf_counter()`, by default now.
        Raises `StoreUnavailableError` where the store has never answered since the start.
        """
        run = ListRun(self._budget_ms, began)
        user = self._user(wanted, run)
        if user is None:
            user = nobody(self._known_catalogue(), wanted)
            asked = self._asked(wanted, user)
            ordered = Ordered.by_channels(self._channels.popular(asked, wanted.n))
        else:
            asked = self._asked(wanted, user)
            limits, deadline = wanted.variant.channels, run.until(CANDIDATES)
            candidates = self._channels.candidates(asked, limits, wanted.n, run, deadline)
            ordered = self._ordering.order(wanted, asked, candidates, run)
        places = self._diversified(wanted, ordered, asked.catalogue, run)
        return Listed(self._explained(wanted, places, user, run), run.degraded, run.timings)

    def breakers(self) -> dict[str, State]:
        """Of features, retrieval and ranking: whether they are asked (`closed`), or left out for now."""
        return {name: guard.state for name, guard in self._guards.items()}

    def close(self) -> None:
        """End the threads."""
        for guard in self._guards.values():
            guard.close()

    def _user(self, wanted: Wanted, run: ListRun) -> UserNow | None:
        with run.stage("user", leaves_out="features") as stage:
            read = partial(read_user, self._store, wanted)
            user = self._guards["features"].start(read, run.until(USER)).result()
            stage.movies = len(user.seen)
            return user
        return None

    def _known_catalogue(self) -> StoreCatalogue:
        if self._orders is None:
            raise StoreUnavailableError("the feature store has not answered since the start of this server")
        return self._orders.catalogue

    def _asked(self, wanted: Wanted, user: UserNow) -> Asked:
        is_open = open_movies(user.catalogue, wanted, user.seen)
        return Asked(user.catalogue, self._orders_of(user.catalogue), user.features, is_open)

    def _orders_of(self, catalogue: StoreCatalogue) -> CatalogueOrders:
        orders = self._orders
        if orders is None or orders.catalogue is not catalogue:
            orders = self._orders = CatalogueOrders(catalogue).make()
        return orders

    def _diversified(
        self, wanted: Wanted, ordered: Ordered, catalogue: StoreCatalogue, run: ListRun
    ) -> list[Place]:
        """The first `n` places, or others where diversity is wanted."""
        chosen = list(range(min(wanted.n, len(ordered.candidates))))
        if wanted.diversity > 0:
            with run.stage("diversity") as stage:
                pool = ordered.candidates[: POOL * wanted.n]
                genres = catalogue.genre_matrix[[catalogue.places[movie.movie_id] for movie in pool]]
                relevance = ordered.scores[: len(pool)]
                chosen = diversify(relevance, genre_similarity(genres), wanted.n, wanted.diversity)
                stage.movies = len(chosen)
        return [_place(ordered, one) for one in chosen]

    def _explained(self, wanted: Wanted, places: list[Place], user: UserNow, run: ListRun) -> list[Place]:
        if not wanted.explain:
            return places
        explainer = Explainer(self._neighbours, user.catalogue, user.features.version, user.liked())
        near: list[tuple[str, ...]] = [()] * len(places)
        with run.stage("explanation") as stage:
            find = partial(_near, explainer, [place.movie_id for place in places])
            near = self._guards["features"].start(find, run.until(EXPLANATION)).result()
            stage.movies = len(places)
        return [
            replace(place, because=reasons or explainer.by_genres(place.movie_id))
            for place, reasons in zip(places, near, strict=True)
        ]


def _near(explainer: Explainer, movie_ids: list[str]) -> list[tuple[str, ...]]:
    return [explainer.by_neighbours(movie_id) for movie_id in movie_ids]


def _place(ordered: Ordered, one: int) -> Place:
    movie = ordered.candidates[one]
    prediction = None if ordered.predictions is None else float(ordered.predictions[one])
    return Place(movie.movie_id, float(ordered.scores[one]), prediction, movie.channels)
