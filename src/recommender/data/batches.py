"""Batches for training: gathered whole from memory by a shuffled index, never row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import numpy as np
import tensorflow as tf

Batch = dict[str, tf.Tensor]


class Epochs(Protocol):
    """A model's training input: batches of every epoch, in one part or in several, one after the other."""

    def sample(self) -> tf.data.Dataset:
        """A batch or more, to see what batches are made of."""

    def steps(self, epoch: int) -> list[int]:
        """How many batches each part of an epoch has."""

    def part(self, epoch: int, number: int) -> Iterable[Batch]:
        """One part of an epoch; of the next one only when this has been read.

        In a graph, too, `next` of its iterator is the next batch.
        """


class InMemory:
    """Each epoch is one part: a true permutation of all rows of `arrays`, from `seed` and epoch.

    `steps` is how many batches are taken of it. The part is a data set, as strategies distribute it.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], batch_size: int, seed: int, steps: int) -> None:
        self._columns = _tensors(arrays)
        self._epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._dataset = batches(self._columns, batch_size, shuffle_seed=seed, epoch=self._epoch)
        self._steps = steps

    def sample(self) -> tf.data.Dataset:
        """The first epoch's."""
        return self._dataset

    def steps(self, epoch: int) -> list[int]:
        """One number."""
        return [self._steps]

    def part(self, epoch: int, number: int) -> Iterable[Batch]:
        """All of an epoch."""
        self._epoch.assign(epoch)
        return self._dataset


class InGraph(InMemory):
    """The same batches, gathered by the graph that takes the steps: a data set is made anew for each pass."""

    def __init__(self, arrays: Mapping[str, np.ndarray], batch_size: int, seed: int, steps: int) -> None:
        super().__init__(arrays, batch_size, seed, steps)
        self._seed = seed
        self._gathered = Gathered(self._columns, batch_size)

    def part(self, epoch: int, number: int) -> Iterable[Batch]:
        """All of an epoch."""
        self._gathered.begin(self._seed, epoch)
        return self._gathered


class Gathered:
    """Rows of `columns` batch by batch, in the order of the pass that was begun last.

    A graph keeps no end of an iterator: after `batch_size` rows each and the last ones come batches of none.
    """

    def __init__(self, columns: Batch, batch_size: int) -> None:
        self._columns, self._batch_size = columns, batch_size
        with tf.device("CPU"):
            self._order = tf.Variable(tf.range(number_of_rows(columns)), trainable=False)
            self._first = tf.Variable(0, trainable=False)

    def begin(self, seed: int, epoch: int) -> None:
        """Draw the order of a pass and go to its first row."""
        with tf.device("CPU"):
            self._order.assign(_permutation(number_of_rows(self._columns), seed, epoch))
        self._first.assign(0)

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        first = self._first.read_value()
        self._first.assign_add(self._batch_size)
        return _gather(self._columns, self._order[first : first + self._batch_size])


def batches(
    arrays: Mapping[str, np.ndarray | tf.Tensor],
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
    columns = _tensors(arrays)
    num_rows = number_of_rows(columns)
    counter = tf.Variable(0, dtype=tf.int64, trainable=False) if epoch is None else epoch

    def order(_: tf.Tensor) -> tf.Tensor:
        return tf.range(num_rows) if shuffle_seed is None else _permutation(num_rows, shuffle_seed, counter)

    def cut(rows: tf.Tensor) -> tf.data.Dataset:
        starts = tf.data.Dataset.range(0, num_rows, batch_size)
        return starts.map(lambda start: rows[start : start + batch_size])  # `batch` would go row by row

    indices = tf.data.Dataset.range(1).map(order).flat_map(cut)
    return indices.map(lambda rows: _gather(columns, rows), num_parallel_calls=1).prefetch(2)


def _tensors(arrays: Mapping[str, np.ndarray | tf.Tensor]) -> Batch:
    with tf.device("CPU"):  # batches are made there
        return {name: tf.convert_to_tensor(values) for name, values in arrays.items()}


def number_of_rows(columns: Mapping[str, np.ndarray | tf.Tensor]) -> int:
    """Of columns that all have as many."""
    return len(next(iter(columns.values())))


def _permutation(rows: int, seed: int, epoch: int | tf.Variable) -> tf.Tensor:
    seeds = tf.stack([seed, tf.cast(epoch, tf.int64)])
    return tf.random.experimental.stateless_shuffle(tf.range(rows), seed=seeds)


def _gather(columns: Batch, rows: tf.Tensor) -> Batch:
    return {name: tf.gather(column, rows) for name, column in columns.items()}
