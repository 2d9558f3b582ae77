"""Fitting the ranking model and predicting with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.config import Settings
from recommender.data.batches import batches
from recommender.data.encode import Arrays
from recommender.data.features import select
from recommender.data.prepared import Prepared
from recommender.metrics.like import log_loss
from recommender.metrics.rating import rmse
from recommender.models.movie_embedding import movie_content
from recommender.models.ranking import RankingModel
from recommender.training.fit import Progress, fit

PREDICT_ROWS = 8192  # rows scored at once


def build_ranking(settings: Settings, prepared: Prepared) -> RankingModel:
    """The model of `settings.ranking`, not trained."""
    content = movie_content(prepared.movies, prepared.schema)
    return RankingModel(settings.ranking, prepared.schema, content, name="ranking")


def train_ranking(
    settings: Settings, prepared: Prepared, folder: Path, on_epoch: Callable[[int, float], None] | None = None
) -> tuple[RankingModel, Progress]:
    """Fit the ranking model on the training split; the validation split says which epoch was best.

    Validation is the RMSE, or the log loss where the objective is `like`. Goes on from what `folder` holds.
    """
    tf.keras.utils.set_random_seed(settings.seed)
    model = build_ranking(settings, prepared)
    training, validation = (ranking_examples(settings, prepared, name) for name in ("train", "validation"))

    def validate() -> float:
        return validation_loss(predict(model, validation), validation["rating"], model)

    progress = fit(
        model,
        training,
        validate,
        settings.training,
        settings.seed,
        folder,
        goal="min",
        name="ranking",
        on_epoch=on_epoch,
    )
    return model, progress


def ranking_examples(settings: Settings, prepared: Prepared, split: str) -> Arrays:
    """The features of `settings.ranking` for one split's ratings, and the `rating` itself."""
    features = select(settings.ranking.features, "ranking.features")
    return {**prepared.examples(split, features), "rating": prepared.interactions.part(split).rating}


def predict(model: RankingModel, examples: Arrays) -> NDArray[np.float32]:
    """`(n,)`: expected ratings, within the scale; or the probability of a like."""
    return np.concatenate([model.predictions(batch).numpy() for batch in batches(examples, PREDICT_ROWS)])


def validation_loss(
    predicted: NDArray[np.float32], rating: NDArray[np.float32], model: RankingModel
) -> float:
    """RMSE of ratings, log loss of likes; NaN for a model that has diverged."""
    if np.isnan(predicted).any():
        return float("nan")
    if model.objective == "rating":
        return rmse(predicted, rating)
    return log_loss(predicted, rating >= model.schema.liked_threshold)
