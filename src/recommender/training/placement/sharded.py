"""Weights in pieces on parameter servers, batches to whichever worker is free."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from recommender.data.batches import InMemory
from recommender.training.placement.one_process import AfterStep, OneProcess, Run, Told, Transform
from recommender.training.placement.whole_weights import cut_up, pairs, put_together, where_cut

NOTHING_CUT = "no table is cut: all are below distribution.min_shard_bytes"
BATCHES_PER_WORKER = 4  # under way at a time, so that an epoch's batches never lie in memory together


class Sharded(OneProcess):
    """Asynchronous training by `ParameterServerStrategy`, whose partitioner cuts tables along their rows.

    The coordinator makes the batches and sends each to a worker, which fetches the rows of the tables that it
    needs from the servers and sends their gradients there. A batch whose worker died goes to another one. Of
    each model there are two: one whose weights lie on the servers, which is trained, and one that is whole in
    this process, into which its weights are copied after each epoch to validate, save and export. The
    rest is as in one process: only the coordinator decides and writes, and every step is one worker's.
    """

    epochs: ClassVar[type[InMemory]] = InMemory  # data sets, read in this process and sent to workers

    def __init__(self, strategy: tf.distribute.ParameterServerStrategy, workers: int) -> None:
        self.strategy = strategy
        self.workers = workers
        self.coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
        self.cut: tf.keras.Model | None = None
        self._build: Callable[[], tf.keras.Model] | None = None
        self._step: Callable[..., Any] | None = None

    def model(self, build: Callable[[], tf.keras.Model]) -> tf.keras.Model:
        """The model that is whole in this process."""
        self._build, self.cut = build, None
        return build()

    def runner(self, model: tf.keras.Model, transform: Transform, after_step: AfterStep, told: Told) -> Run:
        """All workers together; ends with the weights of the servers in `model`, then one `after_step`."""

        def run(batches: tf.data.Dataset, steps: int) -> float:
            mean = self._pass(model, batches.map(transform))
            after_step()
            told(steps)
            return mean

        return run

    def _pass(self, model: tf.keras.Model, dataset: tf.data.Dataset) -> float:
        if self.cut is None:
            self.cut = self._on_servers(model, next(iter(dataset)))
            tables = where_cut(pairs(model, self.cut)[: len(model.weights)])
            print(*tables or [NOTHING_CUT], sep="\n", flush=True)
        weights = pairs(model, self.cut)
        cut_up(weights)
        losses: list[float] = []
        rest = iter(dataset)
        while block := list(islice(rest, BATCHES_PER_WORKER * self.workers)):
            told = [self.coordinator.schedule(self._step, args=(batch,)) for batch in block]
            self.coordinator.join()
            losses += map(float, self.coordinator.fetch(told))
        put_together(weights)
        return float(np.mean(losses))

    def _on_servers(self, model: tf.keras.Model, batch: dict[str, tf.Tensor]) -> tf.keras.Model:
        """The model anew with its weights and its optimizer's on the servers, and the step that trains it."""
        assert self._build is not None, "`model` comes first"
        with self.strategy.scope():
            cut = self._build()
            cut.compile(optimizer=type(model.optimizer).from_config(model.optimizer.get_config()))
            cut(batch)
            cut.optimizer.build(cut.trainable_variables)
        strategy = self.strategy

        @tf.function
        def step(batch: dict[str, tf.Tensor]) -> tf.Tensor:
            loss = strategy.run(lambda rows: cut.train_step(rows)["loss"], args=(batch,))
            return strategy.reduce("SUM", loss, axis=None)

        self._step = step
        return cut
