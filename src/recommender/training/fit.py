"""The epoch loop that both models share: best weights kept, early stopping, checkpoints, curves, progress."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from recommender.config import TrainingSettings
from recommender.data.batches import Epochs, number_of_rows
from recommender.errors import RecommenderError
from recommender.training.averaging import AveragedWeights
from recommender.training.checkpoints import Checkpoints, Progress, has_checkpoint, read_progress
from recommender.training.placement.one_process import HERE, Placement, Transform
from recommender.training.streaming import StreamedEpochs, StreamedExamples


def fit(
    model: tf.keras.Model,
    examples: Mapping[str, np.ndarray] | StreamedExamples,
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
    """Fit `model` on `examples`, leaving it with the weights of the epoch that validated best.

    After each epoch `validate()` is asked, with the moving averages of the weights in place;
    `settings.patience` epochs without a better answer end the fit, 0 never does. `folder` takes a checkpoint
    after each epoch, and after each part of one that is streamed: the same call on the same folder goes on
    from there, or only loads what is finished.
    `transform` is applied to each batch. `before_epoch(epoch)` may change what it reads; `on_epoch(epoch,
    value)` may raise to stop (pruning). `placement`, by default this process, has made the model and runs the
    epochs.
    """
    settings = settings.model_copy(update={"batch_size": placement.batch_size(settings.batch_size)})
    batches = _epochs(examples, settings.batch_size, seed, placement)
    transform = transform or _as_it_is
    steps = sum(batches.steps(0))
    optimizer = _compile(model, settings, steps, next(iter(batches.sample().map(transform))))
    averaged = AveragedWeights(model.trainable_variables, settings.averaging)
    state = Checkpoints(folder, placement.writes_to(folder), model, optimizer, averaged)
    progress = state.restore()
    _check_all_go_on_from(len(progress.validation), folder, placement)
    writer = tf.summary.create_file_writer(str(placement.writes_to(folder) / "tensorboard"))
    epochs = range(len(progress.validation), settings.epochs)

    with writer.as_default(), tqdm(total=len(epochs) * steps, desc=name, unit="batch", disable=None) as bar:
        run = placement.runner(model, transform, averaged.update, bar.update)
        for epoch in epochs:
            if progress.finished:
                break
            if before_epoch is not None:
                before_epoch(epoch)
            parts = _parts_of(epoch, batches, progress, folder)
            for part in range(len(progress.parts), len(parts)):
                progress.parts.append(run(batches.part(epoch, part), parts[part]))
                if len(progress.parts) < len(parts):
                    state.save(progress)
            loss = float(np.dot(progress.parts, np.array(parts) / sum(parts)))
            with averaged.applied():
                value = placement.agreed(validate())
            _end_epoch(progress, loss, value, settings, goal)
            tf.summary.scalar("loss", loss, epoch)
            tf.summary.scalar("validation", value, epoch)
            bar.write(f"{name}: epoch {epoch + 1}/{settings.epochs} loss {loss:.4f} validation {value:.4f}")
            state.save(progress)
            if on_epoch is not None:
                on_epoch(epoch, value)
    placement.agreed(progress.best_epoch)  # not before its checkpoint is written
    state.restore_best(progress)
    return progress


def fit_anew(
    model: tf.keras.Model,
    examples: Mapping[str, np.ndarray] | StreamedExamples,
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
        examples,
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


def is_finished(folder: Path) -> bool:
    """Whether `fit` would only load what `folder` holds."""
    return has_checkpoint(folder) and read_progress(folder).finished


def make_optimizer(settings: TrainingSettings, steps_per_epoch: int) -> tf.keras.optimizers.Optimizer:
    """The optimizer of `settings`; `cosine` lets the learning rate fall to 0 over all epochs.

    Weight decay is decoupled from the gradient (Loshchilov and Hutter 2019).
    """
    rate = settings.learning_rate
    if settings.schedule == "cosine":
        rate = tf.keras.optimizers.schedules.CosineDecay(rate, steps_per_epoch * settings.epochs)
    classes = {
        "adam": tf.keras.optimizers.Adam,
        "adagrad": tf.keras.optimizers.Adagrad,
        "sgd": tf.keras.optimizers.SGD,
    }
    return classes[settings.optimizer](rate, weight_decay=settings.weight_decay or None)


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


def _epochs(
    examples: Mapping[str, np.ndarray] | StreamedExamples, batch_size: int, seed: int, placement: Placement
) -> Epochs:
    if isinstance(examples, StreamedExamples):
        return StreamedEpochs(examples, batch_size, seed)
    steps = placement.steps(number_of_rows(examples), batch_size)
    return placement.epochs(examples, batch_size, seed, steps)


def _parts_of(epoch: int, batches: Epochs, progress: Progress, folder: Path) -> list[int]:
    """The steps of an epoch's parts; raises `RecommenderError` if it was begun with others."""
    parts = batches.steps(epoch)
    if progress.parts and progress.steps != parts:
        raise RecommenderError(
            f"{folder}: an epoch was begun in {len(progress.steps)} parts, with these settings it has "
            f"{len(parts)} others: data.input_memory and training.batch_size must be as they were"
        )
    progress.steps = parts if len(parts) > 1 else []
    return parts


def _end_epoch(progress: Progress, loss: float, value: float, settings: TrainingSettings, goal: str) -> None:
    """Take in what an epoch has come to, whether it is the best and whether it is the last."""
    progress.loss.append(loss)
    progress.validation.append(value)
    progress.parts, progress.steps = [], []
    epoch = len(progress.validation) - 1
    best = progress.validation[max(progress.best_epoch, 0)]
    better = value < best if goal == "min" else value > best
    if progress.best_epoch < 0 or math.isnan(best) or better:
        progress.best_epoch = epoch
    stalled = settings.patience > 0 and epoch - progress.best_epoch >= settings.patience
    progress.finished = stalled or epoch + 1 >= settings.epochs


def _check_all_go_on_from(epochs: int, folder: Path, placement: Placement) -> None:
    """Raise `RecommenderError` where this process has found another checkpoint than the one that leads."""
    leading = int(placement.agreed(epochs))
    if leading != epochs:
        raise RecommenderError(
            f"{folder}: all processes must go on from the same checkpoint, this one finds {epochs} epochs, "
            f"the one that leads {leading}"
        )
