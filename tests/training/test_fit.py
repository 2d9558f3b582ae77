"""The epoch loop, on a model small enough to know the answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from recommender.config import TrainingSettings
from recommender.training.fit import fit, make_optimizer

X = np.linspace(-1, 1, 64).astype(np.float32)
ARRAYS = {"x": X, "y": 3 * X + 1}
SETTINGS = TrainingSettings(
    epochs=6, batch_size=16, learning_rate=0.1, patience=0, schedule="constant", averaging=0.0
)


class Line(tf.keras.Model):
    """y = slope * x + shift."""

    def __init__(self) -> None:
        super().__init__()
        self.slope, self.shift = (self.add_weight(name, (), initializer="zeros") for name in ("a", "b"))

    def call(self, rows: dict) -> tf.Tensor:
        return self.slope * rows["x"] + self.shift

    def train_step(self, rows: dict) -> dict:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self(rows) - rows["y"]) ** 2)
        weights = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


def run(folder: Path, validations=None, settings: TrainingSettings = SETTINGS, **options):
    """Fit a line; validation is its error, or the next of `validations`."""
    model = Line()
    answers = None if validations is None else iter(validations)

    def validate() -> float:
        return float(abs(model.slope - 3)) if answers is None else next(answers)

    options = {"goal": "min", "name": "line"} | options
    return model, fit(model, ARRAYS, validate, settings, 1, folder, **options)


def test_learns_the_line(tmp_path: Path) -> None:
    model, progress = run(tmp_path, settings=SETTINGS.model_copy(update={"epochs": 30}))
    assert model.slope.numpy() == pytest.approx(3, abs=0.05)
    assert progress.loss[-1] < progress.loss[0] / 100
    assert progress.finished


@pytest.mark.parametrize(("goal", "best"), [("min", 1), ("max", 3)])
def test_ends_with_the_weights_of_the_best_epoch(goal: str, best: int, tmp_path: Path) -> None:
    slopes: list[float] = []
    model = Line()
    answers = iter([2.0, 1.0, 3.0, 5.0, 4.0, 2.0])

    def validate() -> float:
        slopes.append(float(model.slope))
        return next(answers)

    progress = fit(model, ARRAYS, validate, SETTINGS, 1, tmp_path, goal=goal, name="line")
    assert progress.best_epoch == best
    assert float(model.slope) == slopes[best]


def test_a_diverged_first_epoch_is_not_the_best(tmp_path: Path) -> None:
    _, progress = run(tmp_path, [float("nan"), 3.0, 2.0, float("nan"), 4.0, 4.0])
    assert progress.best_epoch == 2


def test_patience_ends_a_fit_that_no_longer_improves(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"patience": 2})
    _, progress = run(tmp_path, [3.0, 2.0, 2.5, 2.5, 1.0, 1.0], settings)
    assert progress.validation == [3.0, 2.0, 2.5, 2.5]
    assert progress.best_epoch == 1


def test_a_stopped_fit_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    whole, _ = run(tmp_path / "whole")

    def stop(epoch: int, value: float) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", on_epoch=stop)
    resumed, progress = run(tmp_path / "parts")
    assert len(progress.validation) == 6
    assert float(resumed.slope) == pytest.approx(float(whole.slope), abs=1e-7)


def test_what_a_batch_is_made_of_can_change_before_each_epoch_also_after_a_stop(tmp_path: Path) -> None:
    """A fit whose targets are shifted by the epoch's number learns that number."""
    shift, told = tf.Variable(-1.0), []

    def before_epoch(epoch: int) -> None:
        told.append(epoch)
        shift.assign(float(epoch))

    def stop(epoch: int, value: float) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    settings = SETTINGS.model_copy(update={"learning_rate": 0.5, "batch_size": 2})
    options = {"before_epoch": before_epoch, "settings": settings}
    options["transform"] = lambda rows: {"x": rows["x"], "y": 3 * rows["x"] + shift}
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, on_epoch=stop, **options)
    model, _ = run(tmp_path, validations=[9.0, 8.0, 0.0], **options)
    assert told == [0, 1, 2, 3, 4, 5]
    assert float(model.shift) == pytest.approx(5, abs=0.2)


def test_a_finished_fit_is_only_loaded(tmp_path: Path) -> None:
    first, before = run(tmp_path)
    again, after = run(tmp_path, validations=[])
    assert after == before
    assert float(again.slope) == float(first.slope)


def test_only_the_last_and_the_best_epoch_are_kept(tmp_path: Path) -> None:
    run(tmp_path, [3.0, 1.0, 2.0, 2.0, 2.0, 2.0])
    assert {path.stem for path in tmp_path.glob("epoch-*.index")} == {"epoch-1", "epoch-5"}


def test_what_a_process_left_that_was_killed_while_it_wrote_is_removed(tmp_path: Path) -> None:
    (tmp_path / "epoch-0_temp").mkdir()
    (tmp_path / "epoch-0_temp" / "part-00000-of-00001.index").touch()
    run(tmp_path)
    assert not (tmp_path / "epoch-0_temp").exists()


def test_curves_are_written_for_tensorboard(tmp_path: Path) -> None:
    run(tmp_path)
    assert list((tmp_path / "tensorboard").glob("events.*"))


def test_cosine_lets_the_learning_rate_fall_to_zero(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"schedule": "cosine"})
    model, _ = run(tmp_path, settings=settings)
    assert model.optimizer.iterations == 24  # the steps that were taken
    last = 0.1 * (1 + np.cos(np.pi * 23 / 24)) / 2  # the next would be 0
    assert float(model.optimizer.learning_rate) == pytest.approx(last, rel=1e-4)


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "sgd"])
def test_weight_decay_takes_its_share_of_a_weight_that_no_gradient_moves(optimizer: str) -> None:
    settings = SETTINGS.model_copy(
        update={"optimizer": optimizer, "weight_decay": 0.2, "schedule": "constant"}
    )
    made, weight = make_optimizer(settings, 1), tf.Variable([3.0])
    made.apply_gradients([(tf.zeros(1), weight)])
    np.testing.assert_allclose(weight, [3.0 * (1 - 0.2 * settings.learning_rate)], rtol=1e-6)
