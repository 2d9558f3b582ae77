"""Fitting the retrieval model and scoring the catalogue with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.config import RetrievalSettings, Settings
from recommender.data.encode import Arrays
from recommender.data.features import BY_NAME, Feature, select
from recommender.data.prepared import Prepared, Snapshot
from recommender.evaluation.ranking import evaluate_ranking
from recommender.models.movie_embedding import movie_content
from recommender.models.retrieval import RetrievalModel
from recommender.training.fit import Progress, Transform, fit


def build_retrieval(settings: Settings, prepared: Prepared) -> RetrievalModel:
    """The model of `settings.retrieval`, not trained."""
    counts = np.bincount(prepared.interactions.part("train").movie, minlength=prepared.schema.num_movies)
    content = movie_content(prepared.movies, prepared.schema)
    return RetrievalModel(settings.retrieval, prepared.schema, content, counts, name="retrieval")


def train_retrieval(
    settings: Settings, prepared: Prepared, folder: Path, on_epoch: Callable[[int, float], None] | None = None
) -> tuple[RetrievalModel, Progress]:
    """Fit the retrieval model on the training split; the validation split says which epoch was best.

    Validation is the NDCG of the `candidates` that ranking would get, seen movies excluded. Goes
    on from what `folder` holds.
    """
    tf.keras.utils.set_random_seed(settings.seed)
    model = build_retrieval(settings, prepared)
    known, held_out = prepared.interactions.before("validation"), prepared.interactions.part("validation")
    snapshot = prepared.snapshot("validation")
    k = settings.retrieval.candidates
    arrays, transform = retrieval_examples(settings.retrieval, prepared, snapshot)

    def validate() -> float:
        scorer = RetrievalScorer(model, snapshot)
        return evaluate_ranking(scorer, known, held_out, [k]).metrics[f"ndcg@{k}"]

    progress = fit(
        model,
        arrays,
        validate,
        settings.retrieval.training,
        settings.seed,
        folder,
        goal="max",
        name="retrieval",
        transform=transform,
        on_epoch=on_epoch,
    )
    return model, progress


def retrieval_examples(
    settings: RetrievalSettings, prepared: Prepared, snapshot: Snapshot
) -> tuple[Arrays, Transform | None]:
    """What a training row shows of its user, beside `movie_id`, and what is still to be done to a batch.

    `point_in_time`: the user as before the rating. `leave_one_out`: the user as in `snapshot`, which knows
    the whole training split, but without the movie of the row. The history is there also where the tower
    does not read it: its movies are no negatives.
    """
    features = select({*settings.user_features, "history"}, "retrieval.user_features")
    if settings.history == "point_in_time":
        return prepared.examples("train", [*features, BY_NAME["movie_id"]]), None
    training = prepared.interactions.part("train")
    return {"user": training.user, "movie_id": training.movie + 1}, leave_one_out(snapshot.users, features)


def leave_one_out(users: Arrays, features: Sequence[Feature]) -> Transform:
    """From batches of `user` and `movie_id` to the user's columns, with that movie out of the history."""
    columns = {column: tf.constant(users[column]) for feature in features for column in feature.columns}

    def transform(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        shown = {name: tf.gather(column, batch["user"]) for name, column in columns.items()}
        other = shown["history_movies"] != batch["movie_id"][:, tf.newaxis]
        for name in shown:
            if name.startswith("history_"):
                shown[name] = tf.where(other, shown[name], tf.zeros_like(shown[name]))
        return {**shown, "movie_id": batch["movie_id"]}

    return transform


class RetrievalScorer:
    """Scores every movie of the catalogue for users as a snapshot knows them (see `Scorer`)."""

    def __init__(self, model: RetrievalModel, snapshot: Snapshot) -> None:
        self.tower = model.user_tower
        self.users = snapshot.users
        num_movies = len(snapshot.movies["movie_id"])
        self.movies = model.movie_tower(tf.range(1, num_movies + 1)).numpy()  # (num_movies, embedding_size)

    def scores(self, users: NDArray[np.int32]) -> NDArray[np.float32]:
        """`(len(users), num_movies)`, higher is better."""
        batch = {name: tf.constant(column[users]) for name, column in self.users.items()}
        return self.tower(batch).numpy() @ self.movies.T
