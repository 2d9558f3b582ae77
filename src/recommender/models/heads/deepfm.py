"""`deepfm`: a factorisation machine and a network over the same field vectors."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from recommender.config import Rate
from recommender.models.dense_layers import DenseLayers
from recommender.models.embedding import Embedded
from recommender.models.fields import fields, pairwise_sum
from recommender.models.heads.head import Activation, Head, Penalty, Sizes, register_head
from recommender.models.one_hot_linear import OneHotLinear


@register_head("deepfm")
class DeepFMHead(Head):
    """DeepFM (Guo et al. 2017): linear terms + dot products of all pairs of fields + dense layers.

    A field is an embedding, the user's taste or a numeric column times a vector of its own. The network sees
    the same fields side by side.
    """

    def __init__(
        self,
        hidden: Sizes = (128, 64),
        activation: Activation = "relu",
        dropout: Rate = 0.2,
        linear_l2: Penalty = 1e-5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.linear = OneHotLinear(self.spec.rows, linear_l2, name="linear")
        self.numeric_linear = tf.keras.layers.Dense(1, name="numeric_linear")
        numeric = sum(feature.kind == "numeric" for feature in self.spec.features)
        # Small at first, as the embeddings are: all pairs of them are summed.
        small = tf.keras.initializers.RandomUniform(-0.05, 0.05)
        shape = (numeric, self.spec.embedding_size)
        self.numeric_vectors = self.add_weight("numeric_vectors", shape, initializer=small)
        self.deep = DenseLayers(hidden, activation, dropout, name="deep")
        self.score = tf.keras.layers.Dense(1, use_bias=False, name="score")

    def call(self, inputs: Embedded, training: bool = False) -> tf.Tensor:
        """Score each row: `(batch,)`."""
        vectors = self.vectors(inputs)  # (batch, fields, embedding_size)
        width = vectors.shape[1] * vectors.shape[2]
        deep = self.deep(tf.reshape(vectors, [-1, width]), training=training)
        linear = self.numeric_linear(inputs.numeric) + self.score(deep)
        return self.linear(inputs.indices) + pairwise_sum(vectors) + tf.squeeze(linear, axis=1)

    def vectors(self, inputs: Embedded) -> tf.Tensor:
        """All fields, numeric ones last: `(batch, fields, embedding_size)`."""
        numeric = inputs.numeric[:, :, tf.newaxis] * self.numeric_vectors
        return tf.concat([tf.stack(fields(inputs), axis=1), numeric], axis=1)
