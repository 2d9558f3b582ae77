"""The head `foldin` as somebody writes it in Keras: one layer for the regression, gradients by TensorFlow.

The factors of movies are a constant here, zeros: what a training step costs does not depend on their values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from minimal_columns import Columns

from recommender.models.factor_table import content_columns
from recommender.models.movie_embedding import movie_content

layers = tf.keras.layers
NUMBERS = 4  # of a movie beside its factors: bias, its variance, that of the factors, log count


class Regression(layers.Layer):
    """A ridge regression of each row's past ratings for its candidate: `(batch, 8)`, expectation first."""

    def __init__(self, factors: int, content: np.ndarray) -> None:
        super().__init__()
        self.factors, self.content = factors, tf.constant(content, tf.float32)
        self.table = tf.zeros((len(content), factors + NUMBERS))
        self.columns = 3 + factors + content.shape[1]  # of a movie
        self.coefficients = self.columns + 4  # and of time
        self.of_people = layers.Dense(self.coefficients, kernel_initializer="zeros")
        self.of_choice = layers.Dense(self.coefficients, kernel_initializer="zeros")
        self.own = layers.Dense(1, use_bias=False)

    def build(self, shape: tf.TensorShape) -> None:
        """Prior scales, and what weighs a rating."""
        self.log_scale = self.add_weight("log_scale", (self.coefficients,), initializer="zeros")
        self.noise = self.add_weight("noise", (3,), initializer="zeros")  # constant, age, place
        self.log_uncertainty = self.add_weight("log_uncertainty", (), initializer="zeros")
        self.similarity = self.add_weight("similarity", (2,), initializer="zeros")
        self.slope = self.add_weight("slope", (), initializer="ones")

    def call(self, people: tf.Tensor, movie: tf.Tensor, rated: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
        """`numbers` `(batch, length, 2)` are stars above the mean and log ages."""
        mask = tf.cast(rated > 0, tf.float32)
        of_movie, content = tf.gather(self.table, movie), tf.gather(self.content, movie)
        of_rated, contents = tf.gather(self.table, rated), tf.gather(self.content, rated)
        target = (numbers[:, :, 0] - self.slope * of_rated[:, :, 0]) * mask
        ages, count = numbers[:, :, 1], tf.reduce_sum(mask, axis=1)
        pairs = (of_rated[:, :, NUMBERS:], of_movie[:, NUMBERS:]), (contents, content)
        precision = mask * self._precision(of_rated, ages, target, pairs)
        liked = self._columns(of_rated, contents)
        columns = tf.concat([liked, self._times(ages)], axis=2)
        choice = tf.einsum("bln,bl->bn", liked, mask) / (20.0 + count[:, None])
        now = tf.repeat(tf.constant([[1.0, 1.0, 1.0, 0.0]]), tf.shape(movie)[0], axis=0)
        candidate = tf.concat([self._columns(of_movie, content), now], axis=1)
        prior = self.of_people(people) + self.of_choice(choice)
        prediction, variance, residuals = self._solve(columns, target, precision, candidate, prior)
        bias = self.slope * of_movie[:, 0]
        means = [tf.einsum("bl,bl->b", x**2, mask) / (count + 5.0) for x in (target, residuals)]
        known = [bias, of_movie[:, 1], of_movie[:, 3], tf.math.log1p(count) / 5.0]
        return tf.stack([bias + prediction, variance, *known, *means], axis=1)

    def _precision(self, rated: tf.Tensor, ages: tf.Tensor, target: tf.Tensor, pairs: Any) -> tf.Tensor:
        """How much each rating counts: by likeness to the candidate, age, place and what its movie is."""
        units = [[tf.nn.l2_normalize(part, axis=-1) for part in pair] for pair in pairs]
        cosines = tf.stack([tf.linalg.matvec(*pair) for pair in units], axis=2)
        facts = tf.stack([rated[:, :, 3], rated[:, :, 0], target, tf.abs(target)], axis=2)
        own = self.own(tf.concat([units[0][0], units[1][0], facts], axis=2))[:, :, 0]
        place = tf.math.log1p(tf.range(tf.shape(rated)[1], dtype=tf.float32) / 10.0)
        noise = tf.exp(self.noise[0] + self.noise[1] * ages + self.noise[2] * place)
        noise += tf.exp(self.log_uncertainty) * (rated[:, :, 1] + rated[:, :, 2])
        return tf.exp(tf.linalg.matvec(cosines, self.similarity) + own) / noise

    def _solve(
        self,
        columns: tf.Tensor,
        target: tf.Tensor,
        precision: tf.Tensor,
        candidate: tf.Tensor,
        prior: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The posterior by Cholesky: expectation and variance for the candidate, and what it leaves."""
        scale = tf.exp(self.log_scale)
        expected, scaled = prior * scale, columns * scale
        matrix = tf.matmul(scaled * precision[:, :, None], scaled, transpose_a=True)
        surprise = precision * (target - tf.linalg.matvec(columns, expected))
        right = [tf.linalg.matvec(scaled, surprise, transpose_a=True), candidate * scale]
        lower = tf.linalg.cholesky(matrix + tf.eye(self.coefficients))
        solved = tf.linalg.cholesky_solve(lower, tf.stack(right, axis=2))
        coefficients = expected + solved[:, :, 0] * scale
        prediction = tf.reduce_sum(candidate * coefficients, axis=1)
        variance = tf.reduce_sum(candidate * scale * solved[:, :, 1], axis=1)
        return prediction, variance, target - tf.linalg.matvec(columns, coefficients)

    def _times(self, ages: tf.Tensor) -> tf.Tensor:
        """Moods that fade, and the logarithm of the age in minutes."""
        place = tf.range(1, tf.shape(ages)[1] + 1, dtype=tf.float32) + 0.0 * ages
        moods = tf.exp(-place[:, :, None] / tf.constant([3.0, 15.0, 60.0]))
        minutes = tf.math.log1p(tf.math.expm1(ages) * 1440.0) / 10.0
        return tf.concat([moods, minutes[:, :, None]], axis=2)

    def _columns(self, movies: tf.Tensor, content: tf.Tensor) -> tf.Tensor:
        """1, popularity, bias, factors and content."""
        first = tf.stack([tf.ones_like(movies[..., 0]), movies[..., 3], movies[..., 0]], axis=-1)
        return tf.concat([first, movies[..., NUMBERS:], content], axis=-1)


class Scale(layers.Layer):
    """A number times what comes in."""

    def build(self, shape: tf.TensorShape) -> None:
        """The number."""
        self.scale = self.add_weight("scale", (), initializer="ones")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """The product."""
        return self.scale * x


def foldin(
    c: Columns, factors: int, hidden: list[int], activation: str, dropout: float, **_: object
) -> tf.Tensor:
    """The regression, corrected by dense layers; folds and iterations concern the fit of the factors."""
    ages = tf.math.log1p(c.inputs["history_ages"] / 86_400.0)
    stars = c.inputs["history_ratings"] - c.schema.rating_mean
    categories = [f.name for f in c.features if f.kind == "categorical"]
    numeric = [f for f in c.features if f.kind == "numeric"]
    of_people = [place for place, feature in enumerate(numeric) if feature.source == "user"]
    people = [tf.one_hot(c.inputs[name], c.rows[name]) for name in categories]
    regression = Regression(factors, content_columns(movie_content(c.movies, c.schema)))
    outcome = regression(
        tf.concat([*people, tf.gather(c.numeric, of_people, axis=1)], axis=1),
        c.inputs["movie_id"],
        c.inputs["history_movies"],
        tf.stack([stars, ages], axis=2),
    )
    x = tf.concat([outcome, *c.embeddings.values(), c.numeric], axis=1)
    for units in hidden:
        x = layers.Dropout(dropout)(layers.Dense(units, activation)(x))
    return Scale()(outcome[:, 0]) + layers.Dense(1)(x)[:, 0]
