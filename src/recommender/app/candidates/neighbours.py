"""The movies most like each movie, as the feature store has them; often asked ones stay in memory."""

from __future__ import annotations

import logging
import threading

from recommender.app.features.errors import UnknownModelError, UnknownMovieError
from recommender.app.features.feature_store import FeatureStore
from recommender.app.models.asked_model import Scored

log = logging.getLogger(__name__)

TABLE = "item2vec"
EACH = 50  # movies; the store has no more
KEPT = 5_000  # movies whose neighbours are kept in memory, about 20 MB


class Neighbours:
    """Up to 50 movies like each; safe to use from several threads."""

    def __init__(self, store: FeatureStore, table: str = TABLE) -> None:
        self._store, self._table = store, table
        self._lock = threading.Lock()
        self._version = -1
        self._kept: dict[str, Scored] = {}
        self._complained = False

    def of(self, movie_id: str, version: int) -> Scored:
        """The movies most like one with their similarities, best first, in this version of the store.

        None for a movie that the store has nothing like. Raises `StoreUnavailableError`.
        """
        with self._lock:
            if version != self._version:
                self._version, self._kept = version, {}
            found = self._kept.get(movie_id)
        return self._read(movie_id, version) if found is None else found

    def _read(self, movie_id: str, version: int) -> Scored:
        try:
            found = self._store.neighbours(self._table, movie_id, EACH)
        except UnknownMovieError:
            found = []
        except UnknownModelError as error:
            self._complain(error)
            found = []
        with self._lock:
            if version == self._version:
                while len(self._kept) >= KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[movie_id] = found
        return found

    def _complain(self, error: UnknownModelError) -> None:
        if not self._complained:
            log.warning("%s; lists are made without them", error)
        self._complained = True
