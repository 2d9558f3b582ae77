"""A published version in this process: the model server's own way of loading, following and running one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.app.features.feature_store import CandidateFeatures
from recommender.app.models.asked_model import (
    RANK,
    RETRIEVE,
    SIMILAR,
    ModelDescription,
    ModelUnavailableError,
    Ranked,
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

NO_LIMIT = 0  # milliseconds; who asks waits no longer than its own deadline


class InProcessModel:
    """The newest version in `<models>/<name>/`, followed: a new one answers as soon as it is loaded."""

    def __init__(self, settings: ModelSettings) -> None:
        """Load it, which takes seconds; raises `ModelUnavailableError` where there is none that loads."""
        start_tensorflow()
        from recommender.serving.servables.manager import ModelManager
        from recommender.serving.servables.model_config import ModelConfig

        self._name = settings.name
        base = settings.models / settings.name
        self._manager = ModelManager([ModelConfig(settings.name, base)], settings.poll_seconds)
        self._manager.start()
        try:
            self.describe()
        except ModelUnavailableError as error:
            self.close()
            raise ModelUnavailableError(f"{base}: {error}") from None

    def retrieve(self, user: Arrays, k: int) -> Scored:
        """See `AskedModel`."""
        return _movies(self._run(RETRIEVE, {**user, "k": np.array(k, np.int32)}))

    def rank(self, features: CandidateFeatures, movie_ids: Sequence[str], timestamp: int) -> Ranked:
        """See `AskedModel`."""
        outputs = self._run(RANK, rank_inputs(features, movie_ids, timestamp))
        return read_ranked(outputs, len(movie_ids), f"model {self._name}")

    def similar(self, movie_id: str, k: int) -> Scored:
        """See `AskedModel`."""
        found = self._run(SIMILAR, {"movie": np.array([movie_id], object), "k": np.array(k, np.int32)})
        return _movies(found)

    def describe(self) -> ModelDescription:
        """See `AskedModel`."""
        try:
            with self._manager.servable(self._name) as servable:
                if RANK not in servable.signatures:
                    raise too_old(f"model {self._name} version {servable.version}")
                objective = objective_of(servable.signatures[RANK].outputs)
                return ModelDescription(self._name, servable.version, objective)
        except ServingError as error:
            raise ModelUnavailableError(str(error)) from None

    def close(self) -> None:
        """Unload the version once nobody asks it any more."""
        self._manager.stop()

    def _run(self, signature: str, inputs: Arrays) -> Arrays:
        try:
            with self._manager.servable(self._name) as servable:
                if signature == RANK and RANK not in servable.signatures:
                    raise too_old(f"model {self._name} version {servable.version}")
                # Who calls has a thread to spare: a quick graph runs on it and wakes none of TensorFlow's.
                return servable.predict(signature, inputs, NO_LIMIT, must_be_quick=True)
        except ServingError as error:
            raise ModelUnavailableError(f"model {self._name}: {error}") from None


def _movies(outputs: dict[str, NDArray]) -> Scored:
    """The list of one user or movie, without the empty places at its end."""
    pairs = zip(outputs["movie_ids"][0].tolist(), outputs["scores"][0].tolist(), strict=True)
    return [(movie_id.decode(), score) for movie_id, score in pairs if movie_id]
