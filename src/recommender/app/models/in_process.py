"""A published version in this process: the model server's own way of loading, following and running one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recommender.app.features.feature_store import CandidateFeatures
from recommender.app.models.asked_model import (
    RANK,
    RANK_RETRIEVED,
    RETRIEVE_TO_RANK,
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
from recommender.app.settings import ModelSettings
from recommender.data.encode import Arrays
from recommender.serving.status import ServingError
from recommender.tensorflow_start import start_tensorflow

if TYPE_CHECKING:
    from recommender.serving.servables.servable import Servable

NEEDED = (RANK, RETRIEVE_TO_RANK, RANK_RETRIEVED)
NO_LIMIT = 0  # milliseconds; who asks waits no longer than its own deadline


class InProcessModel:
    """The newest version in `<models>/<name>/`, followed: a new one answers as soon as it is loaded."""

    def __init__(self, settings: ModelSettings) -> None:
        """Load it, which takes seconds; raises `ModelUnavailableError` where there is none that loads."""
        start_tensorflow()
        from recommender.serving.servables.load_options import LoadOptions
        from recommender.serving.servables.manager import ModelManager
        from recommender.serving.servables.model_config import ModelConfig

        self._name = settings.name
        base = settings.models / settings.name
        asked = LoadOptions(signatures=frozenset((*NEEDED, SIMILAR)))
        self._manager = ModelManager([ModelConfig(settings.name, base)], settings.poll_seconds, options=asked)
        self._manager.start()
        try:
            self.describe()
        except ModelUnavailableError as error:
            self.close()
            raise ModelUnavailableError(f"{base}: {error}") from None

    def retrieve(self, user: Arrays, k: int) -> Retrieved:
        """See `AskedModel`."""
        with self._servable() as servable:
            found = _run(servable, RETRIEVE_TO_RANK, {**user, "k": np.array(k, np.int32)})
            return Retrieved(_movies(found), found["retrieved"], servable.version)

    def rank(
        self,
        features: CandidateFeatures,
        movie_ids: Sequence[str],
        timestamp: int,
        retrieved: Retrieved | None = None,
    ) -> Ranked:
        """See `AskedModel`; what another version has retrieved is of no use."""
        inputs, signature = rank_inputs(features, movie_ids, timestamp), RANK
        with self._servable() as servable:
            if (
                retrieved is not None
                and retrieved.of_all is not None
                and retrieved.version == servable.version
            ):
                inputs["retrieved"], signature = retrieved.of_all, RANK_RETRIEVED
            outputs = _run(servable, signature, inputs)
        return read_ranked(outputs, len(movie_ids), f"model {self._name}")

    def similar(self, movie_id: str, k: int) -> Scored:
        """See `AskedModel`."""
        inputs = {"movie": np.array([movie_id], object), "k": np.array(k, np.int32)}
        with self._servable() as servable:
            return _movies(_run(servable, SIMILAR, inputs))

    def describe(self) -> ModelDescription:
        """See `AskedModel`."""
        with self._servable() as servable:
            signatures = servable.signatures
            for signature in NEEDED:
                if signature not in signatures:
                    raise too_old(f"model {self._name} version {servable.version}", signature)
            return ModelDescription(self._name, servable.version, objective_of(signatures[RANK].outputs))

    def close(self) -> None:
        """Unload the version once nobody asks it any more."""
        self._manager.stop()

    @contextmanager
    def _servable(self) -> Iterator[Servable]:
        try:
            with self._manager.servable(self._name) as servable:
                yield servable
        except ServingError as error:
            raise ModelUnavailableError(f"model {self._name}: {error}") from None


def _run(servable: Servable, signature: str, inputs: Arrays) -> Arrays:
    if signature not in servable.signatures:  # a version that has come since the start
        raise too_old(f"model {servable.name} version {servable.version}", signature)
    # Who calls has a thread to spare: a quick graph runs on it and wakes none of TensorFlow's.
    return servable.predict(signature, inputs, NO_LIMIT, must_be_quick=True)


def _movies(outputs: dict[str, NDArray]) -> Scored:
    """The list of one user or movie, without the empty places at its end."""
    pairs = zip(outputs["movie_ids"][0].tolist(), outputs["scores"][0].tolist(), strict=True)
    return [(movie_id.decode(), score) for movie_id, score in pairs if movie_id]
