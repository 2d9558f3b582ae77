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
from recommender.errors import RecommenderError
from recommender.training.averaging import AveragedWeights
from recommender.training.placement.one_process import HERE, Placement, Transform
from recommender.whole_files import write_whole


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
    placement: Placement = HERE,
) -> Progress:
    """Fit `model` on `arrays`, leaving it with the weights of the epoch that validated best.

    After each epoch `validate()` is asked, with the moving averages of the weights in place;
    `settings.patience` epochs without a better answer end the fit, 0 never does. `folder` takes a checkpoint
    after each epoch: the same call on the same folder goes on from there, or only loads what is finished.
    `transform` is applied to each batch. `before_epoch(epoch)` may change what it reads; `on_epoch(epoch,
    value)` may raise to stop (pruning). `placement`, by default this process, has made the model and runs the
    epochs.
    """
    settings = settings.model_copy(update={"batch_size": placement.batch_size(settings.batch_size)})
    epoch_counter = tf.Variable(0, dtype=tf.int64, trainable=False)
    dataset = batches(arrays, settings.batch_size, shuffle_seed=seed, epoch=epoch_counter)
    transform = transform or _as_it_is
    steps = placement.steps(len(next(iter(arrays.values()))), settings.batch_size)
    optimizer = _compile(model, settings, steps, next(iter(dataset.map(transform))))
    averaged = AveragedWeights(model.trainable_variables, settings.averaging)
    state = _State(folder, placement.writes_to(folder), model, optimizer, averaged, goal)
    progress = state.restore()
    _check_all_go_on_from(len(progress.validation), folder, placement)
    writer = tf.summary.create_file_writer(str(placement.writes_to(folder) / "tensorboard"))
    epochs = range(len(progress.validation), settings.epochs)

    def after_steps(number: int) -> None:
        averaged.update()
        bar.update(number)

    with writer.as_default(), tqdm(total=len(epochs) * steps, desc=name, unit="batch", disable=None) as bar:
        for epoch in epochs:
            if progress.finished:
                break
            epoch_counter.assign(epoch)
            if before_epoch is not None:
                before_epoch(epoch)
            loss = placement.run_epoch(model, dataset, transform, steps, after_steps)
            with averaged.applied():
                value = placement.agreed(validate())
            progress.loss.append(loss)
            progress.validation.append(value)
            tf.summary.scalar("loss", loss, epoch)
            tf.summary.scalar("validation", value, epoch)
            bar.write(f"{name}: epoch {epoch + 1}/{settings.epochs} loss {loss:.4f} validation {value:.4f}")
            state.save(progress, settings)
            if on_epoch is not None:
                on_epoch(epoch, value)
    placement.agreed(progress.best_epoch)  # not before its checkpoint is written
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
    placement: Placement = HERE,
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
        placement=placement,
    )


def has_checkpoint(folder: Path) -> bool:
    """Whether `fit` would go on from what `folder` holds, or only load it."""
    return (folder / "progress.json").exists()


def is_finished(folder: Path) -> bool:
    """Whether `fit` would only load what `folder` holds."""
    return has_checkpoint(folder) and _read_progress(folder).finished


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


def _read_progress(folder: Path) -> Progress:
    return Progress(**json.loads((folder / "progress.json").read_text(encoding="utf-8")))


def _as_it_is(rows: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return rows


def _compile(
    model: tf.keras.Model, settings: TrainingSettings, steps: int, batch: dict[str, tf.Tensor]
) -> tf.keras.optimizers.Optimizer:
    """Give the model its optimizer and create all variables, so that a checkpoint can be read into them."""
    with model.distribute_strategy.scope():
        model.compile(optimizer=make_optimizer(settings, steps))
        model(batch)
        model.optimizer.build(model.trainable_variables)
    return model.optimizer


def _check_all_go_on_from(epochs: int, folder: Path, placement: Placement) -> None:
    """Raise `RecommenderError` where this process has found another checkpoint than the one that leads."""
    leading = int(placement.agreed(epochs))
    if leading != epochs:
        raise RecommenderError(
            f"{folder}: must be a folder that all processes share, this one finds {epochs} epochs in it, the "
            f"one that leads {leading}"
        )


class _State:
    """The checkpoints of a fit: weights, averages and optimizer after the last epoch and after the best.

    `progress.json` names the epoch whose checkpoint is complete; it is written last and replaced at once.
    Reads in `folder` and writes to `writes_to`, which is another one for processes that only follow.
    """

    def __init__(
        self,
        folder: Path,
        writes_to: Path,
        model: tf.keras.Model,
        optimizer: tf.keras.optimizers.Optimizer,
        averaged: AveragedWeights,
        goal: str,
    ) -> None:
        self.folder = folder
        self.writes_to = writes_to
        self.better = (lambda a, b: a < b) if goal == "min" else (lambda a, b: a > b)
        self.averaged = averaged
        self.checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, averaged=averaged)
        writes_to.mkdir(parents=True, exist_ok=True)

    def restore(self) -> Progress:
        """What an earlier call has left, or a fresh start."""
        if not has_checkpoint(self.folder):
            return Progress()
        progress = _read_progress(self.folder)
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
        self.checkpoint.write(str(self.writes_to / f"epoch-{epoch}"))
        write_whole(self.writes_to / "progress.json", json.dumps(asdict(progress)))
        for path in self.writes_to.glob("epoch-*"):
            if int(path.stem.split("-")[1].split(".")[0]) not in (epoch, progress.best_epoch):
                path.unlink()

    def restore_best(self, progress: Progress) -> None:
        """Leave the model with the averages of the best epoch."""
        self._read(progress.best_epoch)
        for weight, average in zip(self.averaged.weights, self.averaged.averages, strict=True):
            weight.assign(average)

    def _read(self, epoch: int) -> None:
        self.checkpoint.read(str(self.folder / f"epoch-{epoch}")).assert_existing_objects_matched()
