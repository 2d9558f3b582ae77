"""The order of candidates: the ranking model's where it is wanted and answers, else that of the channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from recommender.app.candidates.channel import Asked
from recommender.app.features.feature_store import CandidateFeatures, FeatureStore
from recommender.app.models.asked_model import AskedModel, Ranked
from recommender.app.pipeline.guard import Guard
from recommender.app.pipeline.list_run import ListRun
from recommender.app.pipeline.merging import Candidate
from recommender.app.pipeline.wanted import Wanted

# By which share of the time budget each step has to be done.
FEATURES, RANKING = 0.8, 1.0


@dataclass(frozen=True, eq=False)
class Ordered:
    """Candidates, best first, with the scores that say so and what is predicted, both `(n,)`."""

    candidates: list[Candidate]
    scores: NDArray[np.floating]
    predictions: NDArray[np.floating] | None = None

    @classmethod
    def by_channels(cls, candidates: list[Candidate]) -> Ordered:
        """As they are merged."""
        return cls(candidates, np.array([candidate.score for candidate in candidates]))


class Ordering:
    """Asks the store for the features of all candidates at once, then the model for all scores at once."""

    def __init__(self, store: FeatureStore, model: AskedModel, guards: Mapping[str, Guard]) -> None:
        self._store, self._model = store, model
        self._guards = guards

    def order(self, wanted: Wanted, asked: Asked, candidates: list[Candidate], run: ListRun) -> Ordered:
        """The candidates in the order that the variant wants; `asked` is what the channels were asked."""
        if wanted.variant.order == "channel" or not candidates:
            return Ordered.by_channels(candidates)
        ids = [candidate.movie_id for candidate in candidates]
        features = self._features(asked, ids, run)
        ranked = self._ranked(wanted, asked, features, ids, run) if features else None
        if ranked is None:
            return Ordered.by_channels(candidates)
        scores = ranked.scores if wanted.variant.order == "final" else ranked.predictions
        best = np.argsort(-scores, kind="stable")
        return Ordered([candidates[one] for one in best.tolist()], scores[best], ranked.predictions[best])

    def _features(self, asked: Asked, ids: Sequence[str], run: ListRun) -> CandidateFeatures | None:
        with run.stage("features") as stage:
            read = partial(self._store.with_movies, asked.features, ids)
            features = self._guards["features"].start(read, run.until(FEATURES)).result()
            stage.movies = len(ids)
            return features
        return None

    def _ranked(
        self, wanted: Wanted, asked: Asked, features: CandidateFeatures, ids: Sequence[str], run: ListRun
    ) -> Ranked | None:
        with run.stage("ranking") as stage:
            rank = partial(self._model.rank, features, ids, wanted.timestamp, asked.retrieved)
            ranked = self._guards["ranking"].start(rank, run.until(RANKING)).result()
            stage.movies = len(ids)
            return ranked
        return None
