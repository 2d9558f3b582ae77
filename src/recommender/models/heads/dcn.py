"""`dcn`: layers that multiply what they see by the input, beside or before a network."""

from __future__ import annotations

from typing import Any, Literal

import tensorflow as tf

from recommender.config import Positive, Rate
from recommender.models.dense_layers import DenseLayers
from recommender.models.embedding import Embedded
from recommender.models.fields import fields
from recommender.models.heads.head import Activation, Head, Sizes, register_head


@register_head("dcn")
class DCNHead(Head):
    """Deep & Cross Network v2 (Wang et al. 2021).

    `structure` stacked: dense layers `hidden` follow the cross layers. parallel: both see the input, and the
    score sees both. `rank`: cross layers are products of two narrow matrices; null: full matrices.
    """

    def __init__(
        self,
        cross_layers: Positive = 2,
        rank: Positive | None = None,
        structure: Literal["stacked", "parallel"] = "stacked",
        hidden: Sizes = (128, 64),
        activation: Activation = "relu",
        dropout: Rate = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.crosses = [CrossLayer(rank, name=f"cross_{index}") for index in range(cross_layers)]
        self.is_stacked = structure == "stacked"
        self.deep = DenseLayers(hidden, activation, dropout, name="deep")
        self.score = tf.keras.layers.Dense(1, name="score")

    def call(self, inputs: Embedded, training: bool = False) -> tf.Tensor:
        """Score each row: `(batch,)`."""
        x0 = tf.concat([*fields(inputs), inputs.numeric], axis=1)
        crossed = x0
        for cross in self.crosses:
            crossed = cross(x0, crossed)
        if self.is_stacked:
            last = self.deep(crossed, training=training)
        else:
            last = tf.concat([crossed, self.deep(x0, training=training)], axis=1)
        return tf.squeeze(self.score(last), axis=1)


class CrossLayer(tf.keras.layers.Layer):
    """x0 * (W x + b) + x, all `(batch, size)`: one more degree of interaction a layer.

    With a `rank`, W = U V^T with U and V `(size, rank)`.
    """

    def __init__(self, rank: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rank = rank

    def build(self, input_shape: Any) -> None:
        """Create the matrix or its two factors, and the bias."""
        size = input_shape[-1]
        self.narrow = tf.keras.layers.Dense(self.rank, use_bias=False, name="v") if self.rank else None
        self.dense = tf.keras.layers.Dense(size, name="u" if self.rank else "w")

    def call(self, x0: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        """The next layer's `x`."""
        projected = x if self.narrow is None else self.narrow(x)
        return x0 * self.dense(projected) + x
