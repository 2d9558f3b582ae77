"""The multi-layer perceptron that heads share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


class DenseLayers(tf.keras.layers.Layer):
    """Dense layers one after another, `(batch, any)` -> `(batch, hidden[-1])`, each followed by dropout.

    Without `hidden` the input comes out as it is. `l2` penalises the kernels, not the biases.
    """

    def __init__(
        self,
        hidden: Sequence[int],
        activation: str = "relu",
        dropout: float = 0.0,
        l2: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        regularizer = tf.keras.regularizers.L2(l2) if l2 else None
        self.hidden = [
            tf.keras.layers.Dense(units, activation, kernel_regularizer=regularizer, name=f"hidden_{index}")
            for index, units in enumerate(hidden)
        ]
        self.dropout = tf.keras.layers.Dropout(dropout)

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The output of the last layer."""
        for layer in self.hidden:
            x = self.dropout(layer(x), training=training)
        return x
