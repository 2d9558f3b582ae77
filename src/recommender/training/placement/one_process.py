"""Everything in this process: the placement that others are variations of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.data.batches import Batch, InGraph, InMemory

Transform = Callable[[Batch], Batch]
AfterStep = Callable[[], None]  # part of a step, in whatever graph that is
Told = Callable[[int], Any]  # gets how many steps were taken since it was called last
Run = Callable[[Iterable[Batch], int], float]  # a pass over so many batches; the mean loss of a step

STEPS_AT_ONCE = 16  # between two looks of Python: the bar moves, a signal is heard


class Placement(Protocol):
    """What `fit` leaves to whoever places the model."""

    epochs: ClassVar[type[InMemory]]  # batches of what lies in memory, as `runner` reads them

    def model(self, build: Callable[[], tf.keras.Model]) -> tf.keras.Model:
        """The model that `fit` validates and saves, made by `build`."""

    def batch_size(self, size: int) -> int:
        """How many rows a step takes, over all replicas, where `size` were asked for."""

    def steps(self, rows: int, batch_size: int) -> int:
        """How many steps an epoch has."""

    def runner(self, model: tf.keras.Model, transform: Transform, after_step: AfterStep, told: Told) -> Run:
        """What takes a step for each batch, made by `transform` what the model reads, and then `after_step`.

        What it has to prepare it prepares once, for all passes.
        """

    def agreed(self, value: float) -> float:
        """One value for all processes: that of the one which writes the checkpoints. Waits for the others."""

    def writes_to(self, folder: Path) -> Path:
        """Where this process may write what all read in `folder`."""


class OneProcess:
    """One copy of the weights, one replica."""

    epochs: ClassVar[type[InMemory]] = InGraph

    def model(self, build: Callable[[], tf.keras.Model]) -> tf.keras.Model:
        """The model as `build` makes it."""
        return build()

    def batch_size(self, size: int) -> int:
        """As many as were asked for."""
        return size

    def steps(self, rows: int, batch_size: int) -> int:
        """The last step may have fewer rows."""
        return -(-rows // batch_size)

    def runner(self, model: tf.keras.Model, transform: Transform, after_step: AfterStep, told: Told) -> Run:
        """Steps are taken several at a time in one graph, which also makes their batches."""
        take = steps_in_graph(model, transform, after_step)

        def run(batches: Iterable[Batch], steps: int) -> float:
            rest = iter(batches)
            losses: list[NDArray[np.float32]] = []
            for first in range(0, steps, STEPS_AT_ONCE):
                number = min(STEPS_AT_ONCE, steps - first)
                losses.append(take(rest, tf.constant(number)).numpy())
                told(number)
            return float(np.mean(np.concatenate(losses), dtype=np.float64))

        return run

    def agreed(self, value: float) -> float:
        """The value itself."""
        return value

    def writes_to(self, folder: Path) -> Path:
        """The folder itself."""
        return folder


HERE = OneProcess()


def steps_in_graph(
    model: tf.keras.Model, transform: Transform, after_step: AfterStep
) -> Callable[[Iterator[Batch], tf.Tensor], tf.Tensor]:
    """What takes a number of training steps on the next batches of an iterator; their losses `(number,)`.

    `Model.fit` comes back to Python after each step and calls its callbacks. Without AutoGraph, which would
    take seconds to convert what needs no conversion; layers choose by `tf.where` and `tf.cond`.
    """
    next_of = batches_in_graph(transform)

    @tf.function(autograph=False)
    def take(rest: Iterator[Batch], number: tf.Tensor) -> tf.Tensor:
        def step(done: tf.Tensor, losses: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            loss = model.train_step(next_of(rest))["loss"]
            after_step()
            return done + 1, losses.write(done, loss)

        def more(done: tf.Tensor, losses: tf.TensorArray) -> tf.Tensor:
            return done < number

        start = (tf.constant(0), tf.TensorArray(tf.float32, number))
        return tf.while_loop(more, step, start, parallel_iterations=1)[1].stack()

    return take


def batches_in_graph(transform: Transform) -> Callable[[Iterator[Batch]], Batch]:
    """What makes the next batch of an iterator in a graph, on the CPU.

    The graph of a step knows of a batch what it would know of a data set's: ranks and fixed sizes. Where it
    knows more (inlined) or less (no shapes), TensorFlow optimizes it to one that rounds differently: the head
    `mlp` in the one case, `foldin` in the other.
    """

    @tf.function(autograph=False, experimental_attributes={"_noinline": True})
    def make(rest: Iterator[Batch]) -> Batch:
        with tf.device("CPU"):
            return transform(next(rest))

    def next_of(rest: Iterator[Batch]) -> Batch:
        with tf.device("CPU"):
            return {name: tf.ensure_shape(column, column.shape) for name, column in make(rest).items()}

    return next_of


def keras_epoch(
    model: tf.keras.Model, dataset: Any, after_step: AfterStep, told: Told, **options: Any
) -> float:
    """One epoch of `Model.fit`; returns the mean loss of its steps."""
    losses: list[float] = []

    def on_batch_end(batch: int, logs: dict[str, float]) -> None:
        losses.append(logs["loss"])
        after_step()
        told(1)

    watch = tf.keras.callbacks.LambdaCallback(on_train_batch_end=on_batch_end)
    model.fit(dataset, epochs=1, verbose=0, callbacks=[watch], **options)
    return float(np.mean(losses))
