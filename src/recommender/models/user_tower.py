"""The user tower: who a user is and what they rated -> one vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from recommender.models.embedding import FeatureEmbedding, History

Columns = Mapping[str, tf.Tensor]


class UserTower(tf.keras.layers.Layer):
    """Encoded columns of users -> vectors `(batch, size)`, where `size` is the embedding's.

    Joins the embedded features, and of the history its mean, a mean with learned weights by position and the
    last movie; `hidden` layers and a linear one follow. Without `hidden` the tower is linear. Only the newest
    `history_length` ratings count. In training, a share `dropout` of the history and of the last hidden
    layer's units is left out.
    """

    def __init__(
        self,
        embedding: FeatureEmbedding,
        size: int,
        hidden: Sequence[int] = (),
        history_length: int = 50,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.embedding = embedding
        self.history_length = min(history_length, embedding.schema.history_length)
        self.dropout_rate = dropout
        self.hidden = [tf.keras.layers.Dense(units, "swish") for units in hidden]
        self.dropout = tf.keras.layers.Dropout(dropout)
        self.output_layer = tf.keras.layers.Dense(size, name="vector")

    def build(self, input_shape: Any) -> None:
        """Create the weights of the positions of the history."""
        if "history" in self.embedding.features:
            self.position = self.add_weight("position", (self.history_length,), initializer="zeros")

    def call(self, inputs: Columns, training: bool = False) -> tf.Tensor:
        """Vectors of a batch of users; a user without id and history gets the one of their demographics."""
        inputs = self._newest(inputs)
        embedded = self.embedding(self.embedding.forget(inputs) if training else inputs)
        parts = [*embedded.embeddings.values(), embedded.numeric]
        if embedded.history is not None:
            parts += self._pool(embedded.history, training)
        vector = tf.concat(parts, axis=1)
        for layer in self.hidden:
            vector = layer(vector)
        return self.output_layer(self.dropout(vector, training=training) if self.hidden else vector)

    def _newest(self, inputs: Columns) -> dict[str, tf.Tensor]:
        """The columns with every history cut to the length that this tower reads."""
        return {
            name: column[:, : self.history_length] if name.startswith("history_") else column
            for name, column in inputs.items()
        }

    def _pool(self, history: History, training: bool) -> list[tf.Tensor]:
        """Mean, mean weighted by position, last movie: each `(batch, embedding_size)`; zeros if empty."""
        mask = history.mask
        last = history.movies[:, 0] * mask[:, :1]
        if training:
            mask *= tf.cast(tf.random.uniform(tf.shape(mask)) >= self.dropout_rate, mask.dtype)
        return [_mean(history.movies, mask), _mean(history.movies, mask * tf.exp(self.position)), last]


def _mean(movies: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The weighted mean of `movies` `(batch, length, size)`; zeros where all weights are 0."""
    total = tf.einsum("bl,bld->bd", weights, movies)
    return tf.math.divide_no_nan(total, tf.reduce_sum(weights, axis=1, keepdims=True))
