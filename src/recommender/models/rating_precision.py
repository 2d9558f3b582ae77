"""How much each of a user's ratings says about a candidate."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from recommender.models.embedding import History
from recommender.models.factor_table import FactoredMovies
from recommender.models.shared_rows import dots


class RatingPrecision(tf.keras.layers.Layer):
    """The precision, 1 / variance, with which a regression for one candidate takes each rating.

    precision = exp(a . similarity + own) / (noise + uncertainty), where the noise grows with the age of the
    rating and its place in the history, the uncertainty is that of the movie's factors, the similarity that
    of rated movie and candidate in factors and in content (cosine), and `own` a linear function of movie and
    target. The similarity makes the regression a local one, around the candidate (Cleveland 1979): attention,
    but of a regression instead of a mean.
    """

    def build(self, input_shape: Any) -> None:
        """Create the weights; what they start from is what ml-100k ends at, roughly."""
        constant = tf.keras.initializers.Constant
        self.log_noise = self.add_weight("log_noise", (), initializer=constant(-0.4))
        self.by_age = self.add_weight("by_age", (), initializer=constant(0.1))
        self.by_place = self.add_weight("by_place", (), initializer=constant(0.1))
        self.log_uncertainty = self.add_weight("log_uncertainty", (), initializer="zeros")
        self.similarity = self.add_weight("similarity", (2,), initializer=constant(0.4))
        self.own = tf.keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros", name="own")

    def call(
        self, target: tf.Tensor, rated: FactoredMovies, candidate: FactoredMovies, history: History
    ) -> tf.Tensor:
        """`(batch, length)`, 0 where padded; `target` is what the regression is to explain.

        `target`, `rated` and `history` may be `(1, length)` for all candidates.
        """
        length = tf.shape(target)[1]
        place = tf.math.log1p(tf.range(length, dtype=tf.float32) / 10.0)
        log_noise = self.log_noise + self.by_age * history.ages + self.by_place * place
        uncertainty = tf.exp(self.log_uncertainty) * (rated.bias_variance + rated.factor_variance)
        factors, content = _unit(rated.factors), _unit(rated.content)
        alike = self._alike(factors, content, candidate)
        numbers = tf.stack([rated.log_count, rated.bias, target, tf.abs(target)], axis=2)
        own = tf.squeeze(self.own(tf.concat([factors, content, numbers], axis=2)), axis=2)
        return history.mask * tf.exp(alike + own) / (tf.exp(log_noise) + uncertainty)

    def _alike(self, factors: tf.Tensor, content: tf.Tensor, candidate: FactoredMovies) -> tf.Tensor:
        """Both cosines of rated movies and candidate, weighted and summed: `(batch, length)`."""
        others = [_unit(candidate.factors), _unit(candidate.content)]
        if factors.shape[0] == 1:  # one product for all candidates
            weighted = [other * self.similarity[place] for place, other in enumerate(others)]
            return dots(tf.concat([factors, content], axis=2), tf.concat(weighted, axis=1))
        cosines = tf.stack([dots(factors, others[0]), dots(content, others[1])], axis=2)
        return tf.einsum("bls,s->bl", cosines, self.similarity)


def _unit(vectors: tf.Tensor) -> tf.Tensor:
    return tf.nn.l2_normalize(vectors, axis=-1, epsilon=1e-6)
