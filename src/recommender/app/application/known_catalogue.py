"""The store's catalogue with what is made of it, kept for as long as the store's version lasts."""

from __future__ import annotations

import threading

from recommender.app.application.live_ratings import last_rating
from recommender.app.application.shelves import Shelves
from recommender.app.features import FeatureStore, StoreUnavailableError


class KnownCatalogue:
    """Gives the shelves of the store's current version, made once a version."""

    def __init__(self, store: FeatureStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._latest: Shelves | None = None

    def current(self) -> Shelves:
        """Those of now; raises `StoreUnavailableError`."""
        catalogue = self._store.catalogue()
        latest = self._latest
        if latest is None or latest.catalogue is not catalogue:
            with self._lock:
                latest = self._latest
                if latest is None or latest.catalogue is not catalogue:
                    latest = Shelves(catalogue, last_rating(self._store.backend.events()))
                    # Takes seconds for a large catalogue, which no request should wait for.
                    threading.Thread(target=latest.make_index, name="search-index", daemon=True).start()
                    self._latest = latest
        return latest

    def last(self) -> Shelves:
        """The latest that was seen, for while the store is down; raises where there never was any."""
        if self._latest is None:
            raise StoreUnavailableError("the feature store does not answer and has not since the start")
        return self._latest
