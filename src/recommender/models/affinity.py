"""How a candidate relates to what its user has rated: two layers that heads share."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from recommender.models.embedding import History


def taste(history: History) -> tf.Tensor:
    """The movies of a history weighted by how far their ratings lie above or below expectation.

    `(batch, embedding_size)`: sum of deviation * movie / sqrt(number of ratings), so that a long history
    speaks louder than a short one, but not in proportion.
    """
    total = tf.einsum("bl,bld->bd", history.deviations, history.movies)
    return total / tf.sqrt(1.0 + tf.reduce_sum(history.mask, axis=1, keepdims=True))


class RatedNeighbours(tf.keras.layers.Layer):
    """Attention of the candidate over the rated movies: what did this user give to movies like this one?

    A learned k-nearest-neighbours: each of `num_heads` heads weighs the history by softmax(query . key /
    sqrt(d)
    - decay * age) and returns the weighted mean of the deviations, and the sum of squared weights, which says
    how few ratings that mean rests on. Scaled dot-product attention: Vaswani et al. 2017; of a candidate over
    a user's history: Zhou et al. 2018 (DIN).
    """

    def __init__(self, num_heads: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_heads = num_heads

    def build(self, input_shape: Any) -> None:
        """Create the projections and each head's decay by age."""
        size = input_shape[-1]
        self.query = self.add_weight("query", (size, self.num_heads, size), initializer="glorot_uniform")
        self.key = self.add_weight("key", (size, self.num_heads, size), initializer="glorot_uniform")
        self.decay = self.add_weight("decay", (self.num_heads,), initializer="zeros")

    def call(self, candidate: tf.Tensor, history: History) -> tf.Tensor:
        """`candidate` `(batch, embedding_size)` -> `(batch, 2 * num_heads)`; zeros without a history."""
        query = tf.einsum("bd,dhe->bhe", candidate, self.query)
        key = tf.einsum("bld,dhe->blhe", history.movies, self.key)
        logits = tf.einsum("bhe,blhe->bhl", query, key) / tf.sqrt(tf.cast(tf.shape(candidate)[1], tf.float32))
        logits -= tf.nn.softplus(self.decay)[:, tf.newaxis] * history.ages[:, tf.newaxis, :]
        mask = history.mask[:, tf.newaxis, :]
        weights = tf.nn.softmax(logits + (mask - 1.0) * 1e9) * mask  # (batch, num_heads, length)
        deviation = tf.einsum("bhl,bl->bh", weights, history.deviations)
        return tf.concat([deviation, tf.reduce_sum(tf.square(weights), axis=2)], axis=1)
