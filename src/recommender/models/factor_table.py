"""Looking movies up in their fitted factors, within the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.models.item_factors import MovieFactors
from recommender.models.movie_embedding import MovieContent


class FactoredMovies(NamedTuple):
    """What is known of movies before anything is learned by gradient; `...` is the shape of the index."""

    bias: tf.Tensor  # (...), stars above the mean
    factors: tf.Tensor  # (..., size)
    bias_variance: tf.Tensor  # (...)
    factor_variance: tf.Tensor  # (...), summed over the factors
    log_count: tf.Tensor  # (...), log(1 + training ratings) / 5
    content: tf.Tensor  # (..., content size)

    def columns(self) -> tf.Tensor:
        """All that a user can have a liking for, 1 first: `(..., 3 + size + content size)`."""
        rest = tf.stack([tf.ones_like(self.bias), self.log_count, self.bias], axis=-1)
        return tf.concat([rest, self.factors, self.content], axis=-1)


def content_columns(content: MovieContent) -> NDArray[np.float32]:
    """Genres, release year, and the year again for old movies only: `(num_movies + 1, num_genres + 2)`."""
    return np.concatenate([content.genres, content.year, np.minimum(content.year, 0.0)], axis=1)


class FactorTable(tf.keras.layers.Layer):
    """Movie indices -> `FactoredMovies`.

    Holds a table of the full fit and one of each fold as weights that are not trained; zeros until `assign`.
    Fold 0 is the full fit: that of everybody whom training has not seen.
    """

    def __init__(self, content: MovieContent, size: int, folds: int, **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        self.size = size
        self.num_rows = len(content.genres)
        self.content = content_columns(content)
        self.table = self.add_weight(
            "table", (folds + 1, self.num_rows, size + 4), initializer="zeros", trainable=False
        )

    def assign(self, fits: Sequence[MovieFactors]) -> None:
        """Take in a fit of all users and then one of each fold; row = index, 0 the movie of no content."""
        self.table.assign(np.stack([_row(fit) for fit in fits]))

    def call(self, index: tf.Tensor, fold: tf.Tensor | None = None) -> FactoredMovies:
        """Look up indices int `(batch, ...)`, in the tables of the folds `(batch,)` of their rows."""
        rows = tf.reshape(self.table, [-1, self.size + 4])  # of fold 0 first
        place = index
        if fold is not None:
            fold = tf.reshape(fold, tf.concat([tf.shape(fold), tf.ones([tf.rank(index) - 1], tf.int32)], 0))
            place += fold * self.num_rows
        found = tf.gather(rows, place)
        content = tf.gather(tf.constant(self.content), index)
        bias, bias_variance, factor_variance, log_count = tf.unstack(found[..., :4], axis=-1)
        return FactoredMovies(bias, found[..., 4:], bias_variance, factor_variance, log_count, content)


def _row(fit: MovieFactors) -> NDArray[np.float32]:
    numbers = [fit.bias, fit.bias_variance, fit.variances.sum(axis=1), np.log1p(fit.counts) / 5.0]
    return np.concatenate([np.stack(numbers, axis=1), fit.factors], axis=1).astype(np.float32)
