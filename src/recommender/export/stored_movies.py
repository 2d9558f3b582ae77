"""What a feature store knows of candidates that changes with every rating."""

from __future__ import annotations

import tensorflow as tf

from recommender.data.features import FEATURES
from recommender.export.rows import Columns

MOVIE_HISTORY = tuple(
    column for feature in FEATURES if feature.source == "movie_history" for column in feature.columns
)


def stored_movie_specs() -> dict[str, tf.TensorSpec]:
    """What a request must give of n candidates: the columns of their history, floats `[n]`, NaN = missing."""
    return {column: tf.TensorSpec([None], tf.float32, column) for column in MOVIE_HISTORY}


def with_live_history(movies: Columns, stored: Columns) -> dict[str, tf.Tensor]:
    """Encoded columns of movies with their history as the inputs of `stored_movie_specs` say it."""
    return {**movies, **{column: stored[column] for column in MOVIE_HISTORY}}
