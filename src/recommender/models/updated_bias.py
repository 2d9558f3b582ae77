"""A movie's bias, brought up to date by the ratings since training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from recommender.models.factor_table import FactoredMovies

FEATURES = ("movie_count", "movie_deviation")


class UpdatedBias(tf.keras.layers.Layer):
    """The posterior of a movie's bias given n ratings more than when it was fitted, `(batch,)`.

    bias + n v / (n v + noise) * (mean of the n - bias), where v is the variance of the fitted bias. Nothing
    of it is learned by gradient, nor could it be: in training n is 0. The features `movie_count` and
    `movie_deviation` tell n and the mean, less what they were when training ended. Until `assign`, and where
    there is no such moment because the splits overlap in time, the bias stays as it was fitted.
    """

    def __init__(self, num_rows: int, **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        never = tf.keras.initializers.Constant(1e9)
        self.count = self.add_weight("count", (num_rows,), initializer=never, trainable=False)
        self.deviation = self.add_weight("deviation", (num_rows,), initializer="zeros", trainable=False)
        self.offset = self.add_weight("offset", (), initializer="zeros", trainable=False)
        self.noise = self.add_weight("noise", (), initializer="ones", trainable=False)

    def assign(self, count: Any, deviation: Any, offset: float, noise: float) -> None:
        """Take in both features `(num_rows,)` as of the end of training, without missing values.

        `offset` is what a deviation lacks to be a bias, `noise` the variance of one rating around it.
        """
        self.count.assign(count)
        self.deviation.assign(deviation)
        self.offset.assign(offset)
        self.noise.assign(noise)

    def call(self, movies: FactoredMovies, columns: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The biases of the candidates of encoded `columns`, which `movies` has looked up."""
        if not set(FEATURES) <= columns.keys():
            return movies.bias
        index = columns["movie_id"]
        known, count = tf.gather(self.count, index), columns["movie_count"]
        more = tf.maximum(count - known, 0.0)
        deviation = tf.where(more > 0, columns["movie_deviation"], 0.0)  # NaN for a movie without ratings
        total = count * deviation - known * tf.gather(self.deviation, index)
        mean = tf.math.divide_no_nan(total, more) + self.offset
        trust = more * movies.bias_variance / (more * movies.bias_variance + self.noise)
        return movies.bias + trust * (mean - movies.bias)
