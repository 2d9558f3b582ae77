"""Fitting the retrieval model and scoring the catalogue with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.config import Settings
from recommender.data.features import select
from recommender.data.prepared import Prepared, Snapshot
from recommender.evaluation.ranking import evaluate_ranking
from recommender.models.movie_embedding import movie_content
from recommender.models.retrieval import RetrievalModel
from recommender.training.fit import Progress, fit


def build_retrieval(settings: Settings, prepared: Prepared) -> RetrievalModel:
    """The model of `settings.retrieval`, not trained."""
    counts = np.bincount(prepared.interactions.part("train").movie, minlength=prepared.schema.num_movies)
    content = movie_content(prepared.movies, prepared.schema)
    return RetrievalModel(settings.retrieval, prepared.schema, content, counts, name="retrieval")


def train_retrieval(
    settings: Settings, prepared: Prepared, folder: Path, on_epoch: Callable[[int, float], None] | None = None
) -> tuple[RetrievalModel, Progress]:
    """Fit the retrieval model on the training split; NDCG@10 on the validation split says which epoch was best."""
    tf.keras.utils.set_random_seed(settings.seed)
    model = build_retrieval(settings, prepared)
    interactions = prepared.interactions
    features = select({*settings.retrieval.user_features, "movie_id", "history"}, "retrieval")
    snapshot = prepared.snapshot("validation")

    def validate() -> float:
        scorer = RetrievalScorer(model, snapshot)
        known, held_out = interactions.before("validation"), interactions.part("validation")
        return evaluate_ranking(scorer, known, held_out, [10]).metrics["ndcg@10"]

    progress = fit(
        model,
        prepared.examples("train", features),
        validate,
        settings.retrieval.training,
        settings.seed,
        folder,
        goal="max",
        name="retrieval",
        on_epoch=on_epoch,
    )
    return model, progress


class RetrievalScorer:
    """Scores every movie of the catalogue for users as a snapshot knows them (see `Scorer`)."""

    def __init__(self, model: RetrievalModel, snapshot: Snapshot) -> None:
        self.tower = tf.function(model.user_tower)
        self.users = snapshot.users
        num_movies = len(snapshot.movies["movie_id"])
        self.movies = model.movie_tower(tf.range(1, num_movies + 1)).numpy()  # (num_movies, embedding_size)

    def scores(self, users: NDArray[np.int32]) -> NDArray[np.float32]:
        """`(len(users), num_movies)`, higher is better."""
        batch = {name: tf.constant(column[users]) for name, column in self.users.items()}
        return self.tower(batch).numpy() @ self.movies.T
