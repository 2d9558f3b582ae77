"""Batches for training: gathered whole from memory by a shuffled index, never row by row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf


def batches(
    arrays: Mapping[str, np.ndarray],
    batch_size: int,
    *,
    shuffle_seed: int | None = None,
    epoch: tf.Variable | None = None,
) -> tf.data.Dataset:
    """One pass over rows that `arrays` hold by name, as dicts of tensors with `batch_size` rows or, last,
    fewer.

    With `shuffle_seed`, every pass is a true permutation of all rows. It depends on the seed and on the value
    of `epoch` when the pass starts, so that a run that stopped goes on with the order it would have had.
    """
    columns = {name: tf.convert_to_tensor(values) for name, values in arrays.items()}
    num_rows = len(next(iter(arrays.values())))
    counter = tf.Variable(0, dtype=tf.int64, trainable=False) if epoch is None else epoch

    def order(_: tf.Tensor) -> tf.Tensor:
        rows = tf.range(num_rows)
        if shuffle_seed is None:
            return rows
        return tf.random.experimental.stateless_shuffle(rows, seed=tf.stack([shuffle_seed, counter]))

    def gather(rows: tf.Tensor) -> dict[str, tf.Tensor]:
        return {name: tf.gather(column, rows) for name, column in columns.items()}

    rows = tf.data.Dataset.range(1).map(order)
    indices = rows.flat_map(lambda row: tf.data.Dataset.from_tensor_slices(row).batch(batch_size))
    return indices.map(gather, num_parallel_calls=1).prefetch(2)
