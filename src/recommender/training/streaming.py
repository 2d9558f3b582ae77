"""Examples that are not held in memory: read from the feature shards, block by block, while a model trains.

A block is some shards' ratings, in one order drawn from all of them, and one part of an epoch. What is
shuffled is what stands in the shards, some ten numbers a rating; histories are gathered for one batch at a
time.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.data.encode import Arrays
from recommender.data.features import Feature
from recommender.data.interactions import SPLITS
from recommender.data.prepared import Prepared
from recommender.errors import ConfigError

BLOCK_ROWS = 1 << 21  # at most, whatever memory allows: the first step waits for the first block
BLOCKS = 3  # that memory must hold: one in use, one being read, and that once more while it is joined
BATCHES = 6  # that memory must hold with their histories: made, waiting and in use

T = TypeVar("T")


class StreamedExamples:
    """The ratings of `splits` as a model reads them, within `memory` bytes beside what `prepared` holds.

    `columns` are in memory, `(n,)` each, split by split as in `splits` and there in file order; a model gets
    them beside `features`. More may be added before rows are read.
    """

    def __init__(
        self, prepared: Prepared, features: Sequence[Feature], splits: Sequence[str], memory: int
    ) -> None:
        self.memory = memory
        self._prepared, self._features, self._splits = prepared, features, tuple(splits)
        self._codes = [SPLITS.index(name) for name in splits]
        self._shards = prepared.feature_shards()
        every = prepared.split_counts()
        self.largest_shard = int(every.sum(axis=1).max())  # a refit has more splits, and the same limit
        counts = every[:, self._codes]
        before = np.cumsum(counts, axis=0) - counts
        sizes = counts.sum(axis=0)
        self._first = before + np.cumsum(sizes) - sizes  # (shards, splits): where each one's rows begin
        self.rows = counts.sum(axis=1)  # (shards,)
        rating, split = prepared.interactions.rating, prepared.interactions.split
        self.columns: Arrays = {"rating": np.concatenate([rating[split == code] for code in self._codes])}

    def __len__(self) -> int:
        return int(self.rows.sum())

    def read(self, shard: int) -> Arrays:
        """The rows of one shard, without their histories."""
        stored = self._prepared.read_stored(self._shards[shard], self._features, self._splits)
        split = self._prepared.interactions.split[stored.pop("row")]
        position = np.empty(len(split), np.int64)
        for code, first in zip(self._codes, self._first[shard], strict=True):
            rows = np.flatnonzero(split == code)
            position[rows] = first + np.arange(len(rows))
        return {**stored, **{name: values[position] for name, values in self.columns.items()}}

    def read_block(self, shards: Sequence[int]) -> Arrays:
        """The rows of several shards, without their histories."""
        parts = [self.read(shard) for shard in shards]
        return {name: np.concatenate([part.pop(name) for part in parts]) for name in list(parts[0])}

    def batch(self, stored: Arrays, rows: slice | NDArray[np.integer]) -> Arrays:
        """Some rows of what was read, as a model reads them."""
        chosen = {name: values[rows] for name, values in stored.items()}
        features = self._prepared.with_histories(chosen, self._features)
        return {**features, **{name: chosen[name] for name in self.columns}}

    def in_order(self, batch_size: int) -> Iterator[dict[str, tf.Tensor]]:
        """One pass in file order, with `batch_size` rows a batch or fewer at the end of a shard."""
        for stored in read_ahead(partial(self.read, shard) for shard in np.flatnonzero(self.rows).tolist()):
            for first in range(0, len(stored["rating"]), batch_size):
                batch = self.batch(stored, slice(first, first + batch_size))
                yield {name: tf.constant(values) for name, values in batch.items()}

    def sample(self) -> tuple[Arrays, Arrays]:
        """A few rows without and with their histories."""
        stored = {name: values[:8] for name, values in self.read(int(np.argmax(self.rows > 0))).items()}
        return stored, self.batch(stored, slice(None))


class StreamedEpochs:
    """Batches of `examples` for training (see `Epochs`); all follows from `seed`, epoch and part.

    The order of shards is drawn for each epoch, blocks are cut from it and their rows shuffled. Batches of a
    block have the same size but for one row, at most `batch_size`: none is so small that its step is noise.
    """

    def __init__(self, examples: StreamedExamples, batch_size: int, seed: int) -> None:
        self._examples, self._batch_size, self._seed = examples, batch_size, seed
        stored, batch = examples.sample()
        self.block_rows = self._rows_within_memory(_row_bytes(stored) + 8, _row_bytes(batch))
        self._sample = tf.data.Dataset.from_tensors(batch)
        signature = {
            name: tf.TensorSpec([None, *values.shape[1:]], values.dtype) for name, values in batch.items()
        }
        batches = weakref.WeakMethod(self._batches)  # TensorFlow keeps what it is given for ever

        def made() -> Iterator[Arrays]:
            alive = batches()
            assert alive is not None, "who trains holds the epochs"
            return alive()

        self._dataset = tf.data.Dataset.from_generator(made, output_signature=signature).prefetch(2)
        self._block: tuple[Arrays, list[NDArray[np.int64]]] = ({}, [])
        self._following: tuple[int, int] | None = None
        self._blocks: Iterator[Arrays] = iter(())

    def sample(self) -> tf.data.Dataset:
        """Some rows."""
        return self._sample

    def steps(self, epoch: int) -> list[int]:
        """Of each block."""
        return [self._steps(shards) for shards in self.blocks(epoch)]

    def blocks(self, epoch: int) -> list[list[int]]:
        """The shards of each block of an epoch, by number."""
        shards = np.flatnonzero(self._examples.rows)
        blocks: list[list[int]] = []
        room = 0
        for shard in np.random.default_rng([self._seed, epoch]).permutation(shards):
            rows = int(self._examples.rows[shard])
            if not blocks or rows > room:
                blocks.append([])
                room = self.block_rows
            blocks[-1].append(int(shard))
            room -= rows
        return blocks

    def part(self, epoch: int, number: int) -> tf.data.Dataset:
        """The batches of one block, while the next block is being read."""
        blocks = self.blocks(epoch)
        if self._following != (epoch, number):
            self._blocks = read_ahead(
                partial(self._examples.read_block, shards) for shards in blocks[number:]
            )
        self._following = epoch, number + 1
        self._block = ({}, [])  # makes room for the next
        stored = next(self._blocks)
        # From 1 on: a seed that ends in 0 would draw as one without it, the order of the shards.
        order = np.random.default_rng([self._seed, epoch, number + 1]).permutation(len(stored["rating"]))
        self._block = stored, np.array_split(order, self._steps(blocks[number]))
        return self._dataset

    def _batches(self) -> Iterator[Arrays]:
        stored, orders = self._block
        for rows in orders:
            yield self._examples.batch(stored, rows)

    def _steps(self, shards: Iterable[int]) -> int:
        return -(-sum(int(self._examples.rows[shard]) for shard in shards) // self._batch_size)

    def _rows_within_memory(self, stored_bytes: int, batch_bytes: int) -> int:
        """How many rows a block may have; raises `ConfigError` where the largest shard has more."""
        of_batches = BATCHES * batch_bytes * self._batch_size
        rows = (self._examples.memory - of_batches) // (BLOCKS * stored_bytes)
        largest = self._examples.largest_shard
        if rows < largest:
            needed = of_batches + BLOCKS * stored_bytes * largest
            raise ConfigError(
                f"data.input_memory: must be at least {-(-needed // 10**6)}MB for batches of "
                f"{self._batch_size} rows of these features, received {self._examples.memory // 10**6}MB"
            )
        return int(min(rows, BLOCK_ROWS))


def read_ahead(reads: Iterable[Callable[[], T]]) -> Iterator[T]:
    """What each of `reads` gives, one after the other; a thread calls the next while one is used."""
    with ThreadPoolExecutor(1) as pool:
        waiting: Future[T] | None = None
        for read in reads:
            following = pool.submit(read)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()


def _row_bytes(arrays: Arrays) -> int:
    return sum(values.nbytes // len(values) for values in arrays.values())
