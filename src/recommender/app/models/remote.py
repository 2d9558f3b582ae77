"""A model on a server that speaks TensorFlow Serving's REST API."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from recommender.app.features.feature_store import CandidateFeatures
from recommender.app.models.asked_model import (
    RANK,
    SIMILAR,
    ModelDescription,
    ModelUnavailableError,
    Ranked,
    Retrieved,
    Scored,
    objective_of,
    rank_inputs,
    read_ranked,
    too_old,
)
from recommender.app.per_thread import PerThread
from recommender.app.settings import ModelSettings
from recommender.client import ModelClient, RequestRefused
from recommender.data.encode import Arrays
from recommender.errors import ConfigError, RecommenderError

Answer = TypeVar("Answer")

RETRIES = 1  # of a connection that broke, as when the server was started again since


class RemoteModel:
    """The newest version that the server at `url` has; every thread keeps a connection of its own."""

    def __init__(self, settings: ModelSettings, budget_ms: int) -> None:
        """`budget_ms` is the longest to connect and to wait for an answer; `ConfigError` for no URL."""
        if settings.url is None:
            raise ConfigError("model.url: must be as in http://127.0.0.1:8501, received None")
        self._settings, self._url = settings, settings.url
        self._timeout = (budget_ms / 1000, budget_ms / 1000)
        self._clients = PerThread(self._connect)
        self._described: tuple[float, ModelDescription] | None = None
        self._clients.get()  # a bad URL is an error now

    def retrieve(self, user: Arrays, k: int) -> Retrieved:
        """See `AskedModel`; scores of all movies stay on the server, as JSON of them would take longer to
        read than they take to compute."""
        found = self._ask(lambda client: client.retrieve_by_features(_listed(user), k))
        return Retrieved((movie.movie_id, movie.score) for movie in found)

    def rank(
        self,
        features: CandidateFeatures,
        movie_ids: Sequence[str],
        timestamp: int,
        retrieved: Retrieved | None = None,
    ) -> Ranked:
        """See `AskedModel`; the server finds out what it needs of `retrieved`."""

        def ask(client: ModelClient) -> Ranked:
            inputs = _listed(rank_inputs(features, movie_ids, timestamp))
            outputs = client.predict(inputs=inputs, signature_name=RANK)
            arrays = {name: np.array(values) for name, values in outputs.items()}
            return read_ranked(arrays, len(movie_ids), self._url)

        return self._ask(ask)

    def similar(self, movie_id: str, k: int) -> Scored:
        """See `AskedModel`."""

        def ask(client: ModelClient) -> Scored:
            outputs = client.predict(inputs={"movie": [movie_id], "k": k}, signature_name=SIMILAR)
            return [
                pair for pair in zip(outputs["movie_ids"][0], outputs["scores"][0], strict=True) if pair[0]
            ]

        return self._ask(ask)

    def describe(self) -> ModelDescription:
        """See `AskedModel`; what was said `poll_seconds` ago still holds."""
        described = self._described
        if described is None or time.monotonic() - described[0] > self._settings.poll_seconds:
            described = self._described = (time.monotonic(), self._ask(self._describe))
        return described[1]

    def close(self) -> None:
        """Close all connections."""
        self._clients.close()

    def _describe(self, client: ModelClient) -> ModelDescription:
        signatures = client.metadata()
        if RANK not in signatures:
            raise too_old(self._url, RANK)
        available = [status.version for status in client.status() if status.state == "AVAILABLE"]
        return ModelDescription(
            self._settings.name, max(available), objective_of(signatures[RANK]["outputs"])
        )

    def _ask(self, question: Callable[[ModelClient], Answer]) -> Answer:
        """An answer, or `ModelUnavailableError` for whatever else comes."""
        try:
            return question(self._clients.get())
        except ModelUnavailableError:
            raise
        except RequestRefused as error:
            raise (
                too_old(self._url, RANK) if RANK in error.reason else ModelUnavailableError(str(error))
            ) from None
        except RecommenderError as error:
            raise ModelUnavailableError(str(error)) from None
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ModelUnavailableError(f"{self._url}: the answer has another form: {error}") from None

    def _connect(self) -> ModelClient:
        """For one thread: sessions of `requests` are not made for several."""
        return ModelClient(self._url, self._settings.name, timeout=self._timeout, retries=RETRIES)


def _listed(arrays: Arrays) -> dict[str, list]:
    return {name: array.tolist() for name, array in arrays.items()}
