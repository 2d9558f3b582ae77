"""`dlrm`: numeric columns become one more vector, and vectors meet in dot products."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from recommender.config import Rate
from recommender.models.dense_layers import DenseLayers
from recommender.models.embedding import Embedded
from recommender.models.fields import dot_products, fields
from recommender.models.heads.head import Activation, Head, Sizes, register_head


@register_head("dlrm")
class DLRMHead(Head):
    """DLRM (Naumov et al. 2019).

    A bottom MLP takes the numeric columns through `bottom` to the size of the embeddings; a top MLP takes its
    output, and the dot products of all pairs of it and the embeddings, through `top` to the score.
    """

    def __init__(
        self,
        bottom: Sizes = (512, 256),
        top: Sizes = (512, 512, 256),
        activation: Activation = "relu",
        dropout: Rate = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bottom = DenseLayers([*bottom, self.spec.embedding_size], activation, name="bottom")
        self.top = DenseLayers(top, activation, dropout, name="top")
        self.score = tf.keras.layers.Dense(1, name="score")

    def call(self, inputs: Embedded, training: bool = False) -> tf.Tensor:
        """Score each row: `(batch,)`."""
        numeric = self.bottom(inputs.numeric, training=training)  # (batch, embedding_size)
        products = dot_products(tf.stack([numeric, *fields(inputs)], axis=1))
        return tf.squeeze(
            self.score(self.top(tf.concat([numeric, products], axis=1), training=training)), axis=1
        )
