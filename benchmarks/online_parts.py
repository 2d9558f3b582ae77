"""The parts of a list called one after the other in one process, without threads, HTTP or time limits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from recommender.app.candidates.channel import Asked, Sources, build_channel
from recommender.app.candidates.neighbours import Neighbours
from recommender.app.candidates.orders import CatalogueOrders
from recommender.app.features import FeatureStore, open_backend
from recommender.app.models import open_model
from recommender.app.pipeline.filters import open_movies
from recommender.app.pipeline.merging import merge
from recommender.app.pipeline.user_now import read_user
from recommender.app.pipeline.wanted import Wanted
from recommender.app.settings import AppSettings

WARM = 50  # lists that are not counted


class Parts:
    """What `Pipeline` is made of; `seconds` holds the time of each part of each list."""

    def __init__(self, settings: AppSettings) -> None:
        self._variant = settings.variants[settings.default_variant]
        self._store = FeatureStore(open_backend(settings.store))
        self._model = open_model(settings)
        sources = Sources(self._model, Neighbours(self._store))
        self._channels = {name: build_channel(name, sources) for name in self._variant.channels}
        self._orders = CatalogueOrders(self._store.catalogue()).make()
        self._second = self._store.catalogue().ends_at + 1
        self.seconds: dict[str, list[float]] = {}

    def loop(self, user_ids: list[str]) -> None:
        """A list for each of these users; the first ones only warm up."""
        for number, user_id in enumerate(user_ids):
            if number == WARM:
                self.seconds.clear()
            with self._timed("list"):
                self._list(user_id)

    def close(self) -> None:
        """Let go of store and model."""
        self._model.close()
        self._store.close()

    def _list(self, user_id: str) -> list[str]:
        wanted = Wanted(user_id, 10, self._variant, self._second)
        with self._timed("user"):
            user = read_user(self._store, wanted)
            is_open = open_movies(user.catalogue, wanted, user.seen)
            asked = Asked(user.catalogue, self._orders, user.features, is_open)
        found = {}
        for name, limit in self._variant.channels.items():
            with self._timed(name):
                found[name] = self._channels[name].candidates(asked, limit)
        with self._timed("merge"):
            ids = [candidate.movie_id for candidate in merge(found, self._variant.channels, asked)]
        with self._timed("features"):
            features = self._store.with_movies(user.features, ids)
        with self._timed("ranking"):
            scores = self._model.rank(features, ids, self._second, asked.retrieved).scores
        return [ids[one] for one in (-scores).argsort()[: wanted.n]]

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds.setdefault(name, []).append(time.perf_counter() - began)
