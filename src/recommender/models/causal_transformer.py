"""A small transformer that looks back only (Vaswani et al. 2017; for recommendation: SASRec, Kang 2018)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class CausalTransformer(tf.keras.layers.Layer):
    """Pre-norm blocks of self-attention and a feed-forward layer (Xiong et al. 2020).

    How far back a step lies is a learned bias per head (relative positions, Shaw et al. 2018, in the form of
    Raffel et al. 2020), so that nothing depends on where a window of a long history begins.
    """

    def __init__(
        self, size: int, dropout: float = 0.0, blocks: int = 2, heads: int = 2, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.blocks = [TransformerBlock(size, heads, dropout, name=f"block_{i}") for i in range(blocks)]
        self.norm = tf.keras.layers.LayerNormalization()

    def call(self, steps: tf.Tensor, training: bool = False) -> tf.Tensor:
        """`(batch, length, size)` -> the same shape; a step's state depends on no later step."""
        for block in self.blocks:
            steps = block(steps, training=training)
        return self.norm(steps)


class TransformerBlock(tf.keras.layers.Layer):
    """Attention to the steps so far, then two dense layers, each added to its input."""

    def __init__(self, size: int, heads: int, dropout: float, max_lag: int = 1_000, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads, self.max_lag = heads, max_lag
        self.norms = [tf.keras.layers.LayerNormalization() for _ in range(2)]
        self.project = tf.keras.layers.Dense(3 * size, use_bias=False)
        self.merge = tf.keras.layers.Dense(size)
        self.wide = tf.keras.layers.Dense(2 * size, "swish")
        self.narrow = tf.keras.layers.Dense(size)
        self.dropout = tf.keras.layers.Dropout(dropout)

    def build(self, input_shape: Any) -> None:
        """Create the bias of each distance."""
        self.lag_bias = self.add_weight("lag_bias", (self.heads, self.max_lag), initializer="zeros")

    def call(self, steps: tf.Tensor, training: bool = False) -> tf.Tensor:
        """`(batch, length, size)` -> the same shape."""
        attended = self.merge(self._attend(self.norms[0](steps)))
        steps = steps + self.dropout(attended, training=training)
        changed = self.narrow(self.wide(self.norms[1](steps)))
        return steps + self.dropout(changed, training=training)

    def _attend(self, steps: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(steps)
        size = steps.shape[-1] // self.heads
        split = tf.reshape(self.project(steps), [shape[0], shape[1], 3, self.heads, size])
        query, key, value = tf.unstack(split, axis=2)  # (batch, length, heads, size)
        logits = tf.einsum("bqhd,bkhd->bhqk", query, key) / size**0.5 + self._bias(shape[1])
        values = tf.einsum("bhqk,bkhd->bqhd", tf.nn.softmax(logits), value)
        return tf.reshape(values, shape)

    def _bias(self, length: tf.Tensor) -> tf.Tensor:
        """By distance, minus infinity for later steps: `(heads, length, length)`."""
        lag = tf.range(length)[:, tf.newaxis] - tf.range(length)
        bias = tf.gather(self.lag_bias, tf.clip_by_value(lag, 0, self.max_lag - 1), axis=1)
        return tf.where(lag >= 0, bias, -1e9)
