"""A model with known answers: earlier movies of the catalogue are better, whoever asks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recommender.app.models import ModelDescription, ModelUnavailableError, Ranked, Retrieved


class StubModel:
    def __init__(self, movie_ids: Sequence[str]) -> None:
        self.movie_ids = list(movie_ids)
        self.down = False

    def retrieve(self, user, k: int) -> Retrieved:
        self._check()
        return Retrieved(
            (movie_id, 1.0 / place) for place, movie_id in enumerate(self.movie_ids[:k], start=1)
        )

    def rank(
        self, features, movie_ids: Sequence[str], timestamp: int, retrieved: Retrieved | None = None
    ) -> Ranked:
        self._check()
        places = np.array([self.movie_ids.index(movie_id) for movie_id in movie_ids], np.float32)
        return Ranked(scores=-places, predictions=5 - places / 100)

    def similar(self, movie_id: str, k: int):
        self._check()
        return [(other, 0.5) for other in self.movie_ids if other != movie_id][:k]

    def describe(self) -> ModelDescription:
        self._check()
        return ModelDescription("stub", 7, "rating")

    def close(self) -> None:
        pass

    def _check(self) -> None:
        if self.down:
            raise ModelUnavailableError("the stub is down")
