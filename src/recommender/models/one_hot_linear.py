"""A linear model over one-hot ids and categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf


class OneHotLinear(tf.keras.layers.Layer):
    """A weight for each value of each feature, summed: indices by name -> `(batch,)`.

    `rows` says how many values each feature has. An index `(batch,)` counts always, 0 (unknown) too; of lists
    `(batch, width)` 0 is padding. All weights lie in one table, so that a step looks up and updates once.
    Weights begin at 0; `l2` penalises them, as FTRL's regularisation does in Cheng et al. 2016.
    """

    def __init__(self, rows: Mapping[str, int], l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        starts = np.cumsum([0, *rows.values()])
        self.offsets = dict(zip(rows, starts.tolist(), strict=False))
        self.table = tf.keras.layers.Embedding(
            max(int(starts[-1]), 1),
            1,
            embeddings_initializer="zeros",
            embeddings_regularizer=tf.keras.regularizers.L2(l2) if l2 else None,
            name="weights",
        )

    def call(self, indices: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Sum the weights of the values that each row has."""
        places, counts = [], []
        for name, offset in self.offsets.items():
            index = indices[name]
            is_list = index.shape.rank == 2
            index = index if is_list else index[:, tf.newaxis]
            places.append(index + offset)
            counts.append(index > 0 if is_list else tf.ones_like(index, tf.bool))
        weights = tf.squeeze(self.table(tf.concat(places, axis=1)), axis=2)  # (batch, values)
        return tf.reduce_sum(tf.where(tf.concat(counts, axis=1), weights, 0.0), axis=1)
