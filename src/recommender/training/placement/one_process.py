"""Everything in this process: the placement that others are variations of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

Transform = Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]
AfterSteps = Callable[[int], None]  # gets how many steps were taken since it was called last


class Placement(Protocol):
    """What `fit` leaves to whoever places the model."""

    def model(self, build: Callable[[], tf.keras.Model]) -> tf.keras.Model:
        """The model that `fit` validates and saves, made by `build`."""

    def batch_size(self, size: int) -> int:
        """How many rows a step takes, over all replicas, where `size` were asked for."""

    def steps(self, rows: int, batch_size: int) -> int:
        """How many steps an epoch has."""

    def run_epoch(
        self,
        model: tf.keras.Model,
        batches: tf.data.Dataset,
        transform: Transform,
        steps: int,
        after_steps: AfterSteps,
    ) -> float:
        """One pass over `batches`, each made by `transform` what the model reads; the mean loss of a step."""

    def agreed(self, value: float) -> float:
        """One value for all processes: that of the one which writes the checkpoints. Waits for the others."""

    def writes_to(self, folder: Path) -> Path:
        """Where this process may write what all read in `folder`."""


class OneProcess:
    """One copy of the weights, one replica."""

    def model(self, build: Callable[[], tf.keras.Model]) -> tf.keras.Model:
        """The model as `build` makes it."""
        return build()

    def batch_size(self, size: int) -> int:
        """As many as were asked for."""
        return size

    def steps(self, rows: int, batch_size: int) -> int:
        """The last step may have fewer rows."""
        return -(-rows // batch_size)

    def run_epoch(
        self,
        model: tf.keras.Model,
        batches: tf.data.Dataset,
        transform: Transform,
        steps: int,
        after_steps: AfterSteps,
    ) -> float:
        """One pass; returns the mean loss of its steps."""
        return keras_epoch(model, batches.map(transform), after_steps)

    def agreed(self, value: float) -> float:
        """The value itself."""
        return value

    def writes_to(self, folder: Path) -> Path:
        """The folder itself."""
        return folder


HERE = OneProcess()


def keras_epoch(model: tf.keras.Model, dataset: Any, after_steps: AfterSteps, **options: Any) -> float:
    """One epoch of `Model.fit`; returns the mean loss of its steps."""
    losses: list[float] = []

    def on_batch_end(batch: int, logs: dict[str, float]) -> None:
        losses.append(logs["loss"])
        after_steps(1)

    watch = tf.keras.callbacks.LambdaCallback(on_train_batch_end=on_batch_end)
    model.fit(dataset, epochs=1, verbose=0, callbacks=[watch], **options)
    return float(np.mean(losses))
