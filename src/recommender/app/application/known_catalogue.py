"""The store's catalogue with what is made of it, kept for as long as the store's version lasts."""

from __future__ import annotations

import logging
import threading

from recommender.app.application.live_ratings import last_rating
from recommender.app.application.shelves import Shelves
from recommender.app.features import FeatureStore, StoreUnavailableError
from recommender.app.pipeline.circuit_breaker import CircuitBreaker

log = logging.getLogger(__name__)


class KnownCatalogue:
    """Gives the shelves of the store's current version, made once a version.

    A store that does not answer may take its time to say so: `latest` and `check_reachable` then ask again
    after a pause only.
    """

    def __init__(self, store: FeatureStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._breaker = CircuitBreaker(failures=1)
        self._reason = ""  # why the store did not answer
        self._latest: Shelves | None = None
        self._try()  # whatever happens to the store later, its movies are known

    def current(self) -> Shelves:
        """Those of now, however long the store takes; raises `StoreUnavailableError`."""
        try:
            shelves = self._read()
        except StoreUnavailableError as error:
            self._reason = str(error)
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return shelves

    def latest(self) -> Shelves:
        """Those of now, or while the store is down the last that were seen; raises where none ever were."""
        return (self._try() if self._breaker.lets_through() else None) or self.last()

    def last(self) -> Shelves:
        """The latest that was seen, for while the store is down; raises where there never was any."""
        if self._latest is None:
            raise StoreUnavailableError("the feature store does not answer and has not since the start")
        return self._latest

    def check_reachable(self) -> None:
        """Raise `StoreUnavailableError`, without waiting once more, where the store did not answer last."""
        self.latest()
        if self._breaker.state != "closed":
            raise StoreUnavailableError(self._reason)

    def _try(self) -> Shelves | None:
        """Those of now; None where the store does not answer."""
        try:
            return self.current()
        except StoreUnavailableError as error:
            log.warning("%s", error)
            return None

    def _read(self) -> Shelves:
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
