"""Batches for training: gathered whole from memory by a shuffled index, never row by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import tensorflow as tf


class Epochs(Protocol):
    """A model's training input: batches of every epoch, in one part or in several, one after the other."""

    def sample(self) -> tf.data.Dataset:
        """A batch or more, to see what batches are made of."""

    def steps(self, epoch: int) -> list[int]:
        """How many batches each part of an epoch has."""

    def part(self, epoch: int, number: int) -> tf.data.Dataset:
        """One part of an epoch; of the next one only when this has been read."""


class InMemory:
    """Each epoch is one part: a true permutation of all rows of `arrays`, from `seed` and epoch.

    `steps` is how many batches are taken of it.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], batch_size: int, seed: int, steps: int) -> None:
        self._epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._dataset = batches(arrays, batch_size, shuffle_seed=seed, epoch=self._epoch)
        self._steps = steps

    def sample(self) -> tf.data.Dataset:
        """The first epoch's."""
        return self._dataset

    def steps(self, epoch: int) -> list[int]:
        """One number."""
        return [self._steps]

    def part(self, epoch: int, number: int) -> tf.data.Dataset:
        """All of an epoch."""
        self._epoch.assign(epoch)
        return self._dataset


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

    def cut(rows: tf.Tensor) -> tf.data.Dataset:
        starts = tf.data.Dataset.range(0, num_rows, batch_size)
        return starts.map(lambda start: rows[start : start + batch_size])  # `batch` would go row by row

    indices = tf.data.Dataset.range(1).map(order).flat_map(cut)
    return indices.map(gather, num_parallel_calls=1).prefetch(2)
