"""A copy of the weights on every replica, all taking the same step on their share of the batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import tensorflow as tf

from recommender.data.batches import InMemory
from recommender.training.placement.one_process import AfterStep, Run, Told, Transform, keras_epoch


class Replicated:
    """Synchronous training by a strategy that mirrors variables, such as `MultiWorkerMirroredStrategy`.

    Every process runs the same program: it makes the same batches, takes its share of each, and validates on
    the same weights. What decides (validation) is the number of the process that leads, so that machines
    that round differently still do the same. Others write `elsewhere`, each to a folder of its own, and read
    the leader's files.
    """

    epochs: ClassVar[type[InMemory]] = InMemory  # data sets, of which each replica gets its shares

    def __init__(self, strategy: tf.distribute.Strategy, elsewhere: Path | None) -> None:
        self.strategy = strategy
        self.elsewhere = elsewhere

    def model(self, build: Callable[[], tf.keras.Model]) -> tf.keras.Model:
        """The model with mirrored weights; the first replica's initial ones hold for all."""
        with self.strategy.scope():
            return build()

    def batch_size(self, size: int) -> int:
        """Rounded down to a multiple of the replicas."""
        replicas = self.strategy.num_replicas_in_sync
        return max(size - size % replicas, replicas)

    def steps(self, rows: int, batch_size: int) -> int:
        """Only steps with rows for every replica."""
        return rows // batch_size + (rows % batch_size >= self.strategy.num_replicas_in_sync)

    def runner(self, model: tf.keras.Model, transform: Transform, after_step: AfterStep, told: Told) -> Run:
        """A step's loss is the sum over replicas, each of which divides by the global batch."""

        def run(batches: tf.data.Dataset, steps: int) -> float:
            def of_process(context: tf.distribute.InputContext) -> tf.data.Dataset:
                replicas = context.num_replicas_in_sync
                here = replicas // context.num_input_pipelines
                return shares(batches, replicas, context.input_pipeline_id * here, here).map(transform)

            dataset = self.strategy.distribute_datasets_from_function(of_process)
            return keras_epoch(model, dataset, after_step, told, steps_per_epoch=steps)

        return run

    def agreed(self, value: float) -> float:
        """The value of the first replica's process."""
        return float(self._of_first(tf.constant(value, tf.float64)))

    def writes_to(self, folder: Path) -> Path:
        """The folder itself for the leader, one of the same name elsewhere for the others."""
        if self.elsewhere is None:
            return folder
        return self.elsewhere / folder.parent.name / folder.name  # of retrieval/refit and ranking/refit

    @tf.function
    def _of_first(self, value: tf.Tensor) -> tf.Tensor:
        def of_replica() -> tf.Tensor:
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            return tf.where(tf.equal(replica, 0), value, 0.0)

        return self.strategy.reduce("SUM", self.strategy.run(of_replica), axis=None)


def shares(batches: tf.data.Dataset, replicas: int, first: int, number: int) -> tf.data.Dataset:
    """Of each batch, cut in equal shares for all `replicas`, the `number` shares from `first` on, one by one.

    Up to replicas - 1 rows of a batch that does not divide are left out, so that all shares weigh the same.
    """

    def cut(batch: dict[str, tf.Tensor]) -> tf.data.Dataset:
        def of(column: tf.Tensor) -> tf.Tensor:
            rows = tf.shape(column)[0] // replicas
            start = first * rows
            mine = column[start : start + number * rows]
            return tf.reshape(mine, tf.concat([[number, rows], tf.shape(column)[1:]], axis=0))

        return tf.data.Dataset.from_tensor_slices({name: of(column) for name, column in batch.items()})

    return batches.flat_map(cut)
