"""Run as a program by each of two workers: fits on both together and on one alone, as JSON on its output.

Arguments: an empty folder that both share. TF_CONFIG says who they are.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from recommender.cluster.tf_config import read_cluster
from recommender.config import DistributionSettings, TrainingSettings
from recommender.training.fit import fit
from recommender.training.placement.one_process import OneProcess, Placement
from recommender.training.placement.strategies import start

X = np.linspace(-1, 1, 72).astype(np.float32)  # in batches of 16 with 8 in the last one
ARRAYS = {"x": X, "rating": 3 * X + 1}


class Line(tfrs.models.Model):
    """rating = slope * x + shift, with the loss of our models and a metric as TFRS's tutorials have it."""

    def __init__(self, start: str = "zeros") -> None:
        super().__init__()
        self.slope, self.shift = (self.add_weight(name, (), initializer=start) for name in "ab")
        self.task = tfrs.tasks.Ranking(
            loss=tf.keras.losses.MeanSquaredError(reduction="sum"),
            metrics=[tf.keras.metrics.RootMeanSquaredError(name="rmse")],
        )

    def call(self, rows: dict) -> tf.Tensor:
        return self.slope * rows["x"] + self.shift

    def compute_loss(self, rows: dict, training: bool = False) -> tf.Tensor:
        total = self.task(labels=rows["rating"][:, None], predictions=self(rows)[:, None])
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        return total / tf.cast(tf.shape(rows["x"])[0] * replicas, tf.float32)


def error(model: tf.keras.Model) -> float:
    return float(np.sqrt(np.mean((model({"x": X}).numpy() - ARRAYS["rating"]) ** 2)))


def stop(epoch: int, value: float) -> None:
    raise KeyboardInterrupt


def run(placement: Placement, folder: Path, start: str = "zeros", **changes: object) -> dict:
    on_epoch = changes.pop("on_epoch", None)
    usual = {"epochs": 3, "batch_size": 16, "patience": 0, "averaging": 0.5}
    settings = TrainingSettings(**usual | {"optimizer": "sgd", "schedule": "constant"} | changes)
    model = placement.model(lambda: Line(start))
    options = {"goal": "min", "name": "line", "placement": placement, "on_epoch": on_epoch}
    progress = fit(model, ARRAYS, lambda: error(model), settings, 1, folder, **options)
    weights = [float(weight.numpy()) for weight in model.trainable_variables]
    return {
        "loss": progress.loss,
        "validation": progress.validation,
        "weights": weights,
        "rmse": error(model),
    }


def history_of_keras(placement: Placement) -> float:
    """The RMSE that `Model.fit` tells of a model that learns nothing, by the RMSE that it has."""
    model = placement.model(Line)
    with model.distribute_strategy.scope():
        model.compile(optimizer=tf.keras.optimizers.SGD(0.0))
    dataset = tf.data.Dataset.from_tensor_slices(ARRAYS).batch(len(X))
    return model.fit(dataset, verbose=0).history["rmse"][0] / error(model)


def main(folder: Path, elsewhere: Path) -> dict:
    cluster = read_cluster(os.environ)
    two, one = start(DistributionSettings(strategy="multi_worker"), cluster, elsewhere), OneProcess()
    tf.keras.utils.set_random_seed(cluster.task.number)
    with suppress(KeyboardInterrupt):
        run(two, folder / "two", on_epoch=stop, learning_rate=0.1)
    two.agreed(0)  # until the leader has written
    first = json.loads((folder / "two" / "progress.json").read_text())
    told = {
        "one": run(one, folder / f"one-{cluster.task.number}", learning_rate=0.1),
        "first": first,
        "two": run(two, folder / "two", learning_rate=0.1),
        "apart": run(two, elsewhere / "own" / "disk" / "apart", learning_rate=0.1),
        "still": run(two, folder / "still", "random_normal", learning_rate=1e-9, epochs=1),
        "keras": {"one": history_of_keras(one), "two": history_of_keras(two)},
        "agreed": two.agreed(float("nan") if cluster.task.number else 7.0),
        "batch_size": [two.batch_size(size) for size in (1, 2, 15, 16)],
        "steps": [two.steps(rows, 16) for rows in (16, 17, 18, 31, 32)],
        "written": sorted(path.name for path in folder.iterdir()),
    }
    with suppress(tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError):
        two.agreed(0)  # nobody leaves before both have their answers
    return told


if __name__ == "__main__":
    with TemporaryDirectory() as elsewhere:
        print(json.dumps(main(Path(sys.argv[1]), Path(elsewhere))), flush=True)
    os._exit(0)  # not after the farewells of a cluster
