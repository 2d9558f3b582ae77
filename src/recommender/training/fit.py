"""The epoch loop that both models share: best weights kept, early stopping, checkpoints, curves, progress."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from recommender.config import TrainingSettings
from recommender.data.batches import batches
from recommender.training.averaging import AveragedWeights
from recommender.whole_files import write_whole

Transform = Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]


@dataclass
class Progress:
    """How far a fit has come; `loss` and `validation` hold one number per finished epoch."""

    loss: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    best_epoch: int = -1
    finished: bool = False


def fit(
    model: tf.keras.Model,
    arrays: Mapping[str, np.ndarray],
    validate: Callable[[], float],
    settings: TrainingSettings,
    seed: int,
    folder: Path,
    *,
    goal: Literal["min", "max"],
    name: str,
    transform: Transform | None = None,
    before_epoch: Callable[[int], None] | None = None,
    on_epoch: Callable[[int, float], None] | None = None,
) -> Progress:
    """Fit `model` on `arrays`, leaving it with the weights of the epoch that validated best.

    After each epoch `validate()` is asked, with the moving averages of the weights in place;
    `settings.patience` epochs without a better answer end the fit, 0 never does. `folder` takes a checkpoint
    after each epoch: the same call on the same folder goes on from there, or only loads what is finished.
    `transform` is applied to each batch. `before_epoch(epoch)` may change what it reads; `on_epoch(epoch,
    value)` may raise to stop (pruning).
    """
    epoch_counter = tf.Variable(0, dtype=tf.int64, trainable=False)
    dataset = batches(arrays, settings.batch_size, shuffle_seed=seed, epoch=epoch_counter)
    if transform is not None:
        dataset = dataset.map(transform)
    steps = math.ceil(len(next(iter(arrays.values()))) / settings.batch_size)
    optimizer = make_optimizer(settings, steps)
    model.compile(optimizer=optimizer)
    _build(model, dataset, optimizer)
    averaged = AveragedWeights(model.trainable_variables, settings.averaging)
    state = _State(folder, model, optimizer, averaged, goal)
    progress = state.restore()
    writer = tf.summary.create_file_writer(str(folder / "tensorboard"))
    epochs = range(len(progress.validation), settings.epochs)
    with writer.as_default(), tqdm(total=len(epochs) * steps, desc=name, unit="batch", disable=None) as bar:
        for epoch in epochs:
            if progress.finished:
                break
            epoch_counter.assign(epoch)
            if before_epoch is not None:
                before_epoch(epoch)
            loss = _run_epoch(model, dataset, averaged, bar)
            with averaged.applied():
                value = validate()
            progress.loss.append(loss)
            progress.validation.append(value)
            tf.summary.scalar("loss", loss, epoch)
            tf.summary.scalar("validation", value, epoch)
            bar.write(f"{name}: epoch {epoch + 1}/{settings.epochs} loss {loss:.4f} validation {value:.4f}")
            state.save(progress, settings)
            if on_epoch is not None:
                on_epoch(epoch, value)
    state.restore_best(progress)
    return progress


def fit_anew(
    model: tf.keras.Model,
    arrays: Mapping[str, np.ndarray],
    settings: TrainingSettings,
    epochs: int,
    seed: int,
    folder: Path,
    *,
    name: str,
    transform: Transform | None = None,
    before_epoch: Callable[[int], None] | None = None,
) -> None:
    """Fit `model` for as many `epochs` as another fit has found best; nothing is left to validate on."""
    fit(
        model,
        arrays,
        lambda: float("nan"),  # of which no epoch is better than the last
        settings.model_copy(update={"epochs": epochs, "patience": 0}),
        seed,
        folder,
        goal="min",
        name=name,
        transform=transform,
        before_epoch=before_epoch,
    )


def has_checkpoint(folder: Path) -> bool:
    """Whether `fit` would go on from what `folder` holds, or only load it."""
    return (folder / "progress.json").exists()


def make_optimizer(settings: TrainingSettings, steps_per_epoch: int) -> tf.keras.optimizers.Optimizer:
    """The optimizer of `settings`; `cosine` lets the learning rate fall to 0 over all epochs."""
    rate = settings.learning_rate
    if settings.schedule == "cosine":
        rate = tf.keras.optimizers.schedules.CosineDecay(rate, steps_per_epoch * settings.epochs)
    classes = {
        "adam": tf.keras.optimizers.Adam,
        "adagrad": tf.keras.optimizers.Adagrad,
        "sgd": tf.keras.optimizers.SGD,
    }
    return classes[settings.optimizer](rate)


def _build(model: tf.keras.Model, dataset: tf.data.Dataset, optimizer: tf.keras.optimizers.Optimizer) -> None:
    """Create all variables, so that a checkpoint can be read into them."""
    model(next(iter(dataset)))
    optimizer.build(model.trainable_variables)


def _run_epoch(
    model: tf.keras.Model, dataset: tf.data.Dataset, averaged: AveragedWeights, bar: tqdm
) -> float:
    """One pass; returns the mean loss of its batches."""
    losses: list[float] = []

    def on_batch_end(batch: int, logs: dict[str, float]) -> None:
        losses.append(logs["loss"])
        averaged.update()
        bar.update()

    watch = tf.keras.callbacks.LambdaCallback(on_train_batch_end=on_batch_end)
    model.fit(dataset, epochs=1, verbose=0, callbacks=[watch])
    return float(np.mean(losses))


class _State:
    """The checkpoints of a fit: weights, averages and optimizer after the last epoch and after the best.

    `progress.json` names the epoch whose checkpoint is complete; it is written last and replaced at once.
    """

    def __init__(
        self,
        folder: Path,
        model: tf.keras.Model,
        optimizer: tf.keras.optimizers.Optimizer,
        averaged: AveragedWeights,
        goal: str,
    ) -> None:
        self.folder = folder
        self.better = (lambda a, b: a < b) if goal == "min" else (lambda a, b: a > b)
        self.averaged = averaged
        self.checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, averaged=averaged)
        folder.mkdir(parents=True, exist_ok=True)

    def restore(self) -> Progress:
        """What an earlier call has left, or a fresh start."""
        if not has_checkpoint(self.folder):
            return Progress()
        progress = Progress(**json.loads((self.folder / "progress.json").read_text(encoding="utf-8")))
        self._read(len(progress.validation) - 1)
        return progress

    def save(self, progress: Progress, settings: TrainingSettings) -> None:
        """Keep the epoch that just ended; forget what is neither the last nor the best."""
        epoch = len(progress.validation) - 1
        value = progress.validation[epoch]
        best = progress.validation[max(progress.best_epoch, 0)]
        if progress.best_epoch < 0 or math.isnan(best) or self.better(value, best):
            progress.best_epoch = epoch
        stalled = settings.patience > 0 and epoch - progress.best_epoch >= settings.patience
        progress.finished = stalled or epoch + 1 >= settings.epochs
        self.checkpoint.write(str(self.folder / f"epoch-{epoch}"))
        write_whole(self.folder / "progress.json", json.dumps(asdict(progress)))
        for path in self.folder.glob("epoch-*"):
            if int(path.stem.split("-")[1].split(".")[0]) not in (epoch, progress.best_epoch):
                path.unlink()

    def restore_best(self, progress: Progress) -> None:
        """Leave the model with the averages of the best epoch."""
        self._read(progress.best_epoch)
        for weight, average in zip(self.averaged.weights, self.averaged.averages, strict=True):
            weight.assign(average)

    def _read(self, epoch: int) -> None:
        self.checkpoint.read(str(self.folder / f"epoch-{epoch}")).assert_existing_objects_matched()
