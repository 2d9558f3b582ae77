"""The closed form under the ranking model: what user and movie usually deviate by, trusted by count."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from recommender.data.schema import Schema

SIDES = ("user", "movie")
FEATURES = frozenset(f"{side}_{name}" for side in SIDES for name in ("count", "deviation"))


class ShrunkDeviations(tf.keras.layers.Layer):
    """Sum over user and movie of weight * n / (n + prior) * deviation, `(batch,)`.

    n is the number of earlier ratings; weight and prior are learned, a user and a movie without ratings
    contribute 0. The form of a shrunken bias (Koren 2010) holds for any count, so a model that has seen young
    movies in training is right about old ones later; a network alone has to learn that from examples.
    """

    def __init__(self, schema: Schema, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.means = {side: schema.numeric[f"{side}_deviation"][0] for side in SIDES}

    def build(self, input_shape: Any) -> None:
        """Create weights and the logarithms of the priors; a prior of 5 ratings to begin with."""
        self.weights_by_side = {
            side: self.add_weight(f"{side}_weight", (), initializer="ones") for side in SIDES
        }
        start = tf.keras.initializers.Constant(math.log(5.0))
        self.log_priors = {side: self.add_weight(f"{side}_prior", (), initializer=start) for side in SIDES}

    def call(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Encoded columns `user_count`, `user_deviation`, `movie_count`, `movie_deviation` -> `(batch,)`."""
        return tf.add_n([self._side(inputs, side) for side in SIDES])

    def _side(self, inputs: Mapping[str, tf.Tensor], side: str) -> tf.Tensor:
        count, deviation = inputs[f"{side}_count"], inputs[f"{side}_deviation"] - self.means[side]
        known = (count > 0) & ~tf.math.is_nan(deviation)
        # tf.where on the inside too: the gradient of NaN times 0 is NaN.
        deviation = tf.where(known, deviation, 0.0)
        trust = count / (count + tf.exp(self.log_priors[side]))
        return self.weights_by_side[side] * trust * deviation
