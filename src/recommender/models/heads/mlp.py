"""`mlp`: the deep head, a multi-layer perceptron over everything that is known of the pair."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from recommender.config import Positive, Rate
from recommender.models.affinity import RatedNeighbours, taste
from recommender.models.dense_layers import DenseLayers
from recommender.models.embedding import Embedded
from recommender.models.heads.head import Activation, Head, Penalty, Sizes, register_head


@register_head("mlp")
class MLPHead(Head):
    """Concatenates embeddings and numeric columns, then dense layers down to one score (Embedding-MLP).

    Where the history is among the features, the layers also see how the candidate relates to it: the
    candidate times the user's taste, and what the user gave to its neighbours.
    """

    def __init__(
        self,
        hidden: Sizes = (64, 32),
        activation: Activation = "swish",
        dropout: Rate = 0.2,
        l2: Penalty = 0.0,
        attention_heads: Positive = 4,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deep = DenseLayers(hidden, activation, dropout, l2, name="deep")
        self.neighbours = RatedNeighbours(attention_heads, name="neighbours")
        regularizer = tf.keras.regularizers.L2(l2) if l2 else None
        self.score = tf.keras.layers.Dense(1, kernel_regularizer=regularizer, name="score")

    def call(self, inputs: Embedded, training: bool = False) -> tf.Tensor:
        """Score each row: `(batch,)`."""
        x = tf.concat([*inputs.embeddings.values(), inputs.numeric, *self._affinity(inputs)], axis=1)
        return tf.squeeze(self.score(self.deep(x, training=training)), axis=1)

    def _affinity(self, inputs: Embedded) -> list[tf.Tensor]:
        if inputs.history is None or "movie_id" not in inputs.embeddings:
            return []
        candidate = inputs.embeddings["movie_id"]
        product = taste(inputs.history) * candidate  # (batch, embedding_size)
        dot = tf.reduce_sum(product, axis=1, keepdims=True)
        return [product, dot, self.neighbours(candidate, inputs.history)]
