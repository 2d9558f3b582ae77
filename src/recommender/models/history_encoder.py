"""Encoders of a history: what is known after each rating, from that rating and those before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from recommender.models.causal_transformer import CausalTransformer
from recommender.models.traced import traced_once


class PooledEncoder(tf.keras.layers.Layer):
    """The mean of all steps so far, a mean in which each step back counts 0.9 times as much, and the last."""

    def __init__(self, size: int, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = tf.keras.layers.Dense(2 * size, "swish")
        self.dropout = tf.keras.layers.Dropout(dropout)
        self.output_layer = tf.keras.layers.Dense(size)

    def call(self, steps: tf.Tensor, training: bool = False) -> tf.Tensor:
        """`(batch, length, size)` -> the same shape; a step's state depends on no later step."""
        parts = [weighted_mean(steps, 1.0), weighted_mean(steps, 0.9), steps]
        return self.output_layer(self.dropout(self.hidden(tf.concat(parts, axis=-1)), training=training))


class GruEncoder(tf.keras.layers.GRU):
    """A gated recurrent unit (Cho et al. 2014; for recommendation: Hidasi et al. 2016, GRU4Rec).

    Drops nothing: the tower drops what goes in.
    """

    def __init__(self, size: int, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(size, return_sequences=True, **kwargs)
        self._read_one_user = traced_once(self._one_user)

    def call(self, steps: tf.Tensor, training: bool = False, **kwargs: Any) -> tf.Tensor:
        """`(batch, length, size)` -> the same shape; a step's state depends on no later step.

        One user, statically 1 for the batch, is read step by step without a loop of the graph: its control
        operations take several times as long as the products of vectors that small.
        """
        if steps.shape[0] == 1 and steps.shape[1] is not None:
            return self._read_one_user(steps)
        return super().call(steps, training=training, **kwargs)

    def _one_user(self, steps: tf.Tensor) -> tf.Tensor:
        """What Keras computes with `reset_after=True`, the products with all inputs at once.

        Biases stay `(1, any)`: TensorFlow fuses a product and the addition of a vector into one operation,
        which takes longer to begin than products that small take in all.
        """
        length, size = steps.shape[1], 2 * self.units  # of both gates, update and reset, which come first
        cell = self.cell
        first, second = cell.bias[:1], cell.bias[1:]
        read = tf.matmul(steps[0], cell.kernel) + first
        gates = tf.split(read[:, :size] + second[:, :size], length)
        candidates, bias = tf.split(read[:, size:], length), second[:, size:]
        recurrent_gates, recurrent = cell.recurrent_kernel[:, :size], cell.recurrent_kernel[:, size:]
        state, states = tf.zeros((1, self.units)), []
        for gate, candidate in zip(gates, candidates, strict=True):
            update, reset = tf.split(tf.sigmoid(gate + state @ recurrent_gates), 2, axis=1)
            new = tf.tanh(candidate + reset * (state @ recurrent + bias))
            state = new + update * (state - new)
            states.append(state)
        return tf.concat(states, axis=0)[tf.newaxis]


def weighted_mean(steps: tf.Tensor, decay: float) -> tf.Tensor:
    """For each step the mean of it and those before, weighted by `decay ** steps back`: the same shape."""
    weights = lag_weights(tf.shape(steps)[1], decay)
    return tf.einsum("ij,bjd->bid", weights / tf.reduce_sum(weights, axis=1, keepdims=True), steps)


def lag_weights(length: tf.Tensor, decay: float) -> tf.Tensor:
    """`decay ** (i - j)` in row i and column j <= i, 0 after: `(length, length)`."""
    lag = tf.range(length)[:, tf.newaxis] - tf.range(length)
    return tf.where(lag >= 0, tf.cast(decay, tf.float32) ** tf.cast(tf.maximum(lag, 0), tf.float32), 0.0)


ENCODERS: dict[str, Callable[..., tf.keras.layers.Layer]] = {
    "pooled": PooledEncoder,
    "gru": GruEncoder,
    "transformer": CausalTransformer,
}
