"""Retrieval as a served version gives it: by popularity for users of whom the user tower knows nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.config import RetrievalSettings, Settings
from recommender.data.encode import Arrays
from recommender.data.prepared import Prepared
from recommender.data.schema import Schema
from recommender.models.retrieval import RetrievalModel
from recommender.training.retrieval import RetrievalScorer


class ServedRetrieval:
    """What `retrieve` of a version answers with that is served at the beginning of `split` (see `Scorer`).

    Users not known have log(1 + number of ratings) of each movie.
    """

    def __init__(self, settings: Settings, prepared: Prepared, model: RetrievalModel, split: str) -> None:
        snapshot = prepared.snapshot(split)
        known = prepared.interactions.before(split)
        self._scorer = RetrievalScorer(model, snapshot)
        self._is_known = known_users(settings.retrieval, prepared.schema, snapshot.users)
        self._popularity = np.log1p(np.bincount(known.movie, minlength=known.num_movies))

    def scores(self, users: NDArray[np.int32]) -> NDArray[np.float32]:
        """`(len(users), num_movies)`, higher is better."""
        known = self._is_known[users, np.newaxis]
        return np.where(known, self._scorer.scores(users), self._popularity).astype(np.float32)


def known_users(settings: RetrievalSettings, schema: Schema, users: Arrays) -> NDArray[np.bool_]:
    """Which users `(n,)` of encoded columns the user tower knows something personal of: those with ratings,
    or where it reads the id and no history, with training ratings."""
    if "user_id" in settings.user_features and "history" not in settings.user_features:
        return (users["user_id"] > 0) & (users["user_id"] <= schema.known_users)
    return users["user_count"] > 0
