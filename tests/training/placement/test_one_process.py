"""Steps taken several at a time in one graph, against `Model.fit`."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import tensorflow as tf

from recommender.data.batches import InGraph, batches
from recommender.training.averaging import AveragedWeights
from recommender.training.placement import one_process
from recommender.training.placement.one_process import HERE, keras_epoch

ROWS = 37  # in batches of 8: the last has 5
ARRAYS = {"x": np.linspace(-1, 1, ROWS).astype(np.float32), "y": np.linspace(2, 3, ROWS).astype(np.float32)}


class Noisy(tf.keras.Model):
    """A line, learned with dropout and with noise from a stateful generator."""

    def __init__(self) -> None:
        super().__init__()
        self.line = tf.keras.layers.Dense(1)
        self.drop = tf.keras.layers.Dropout(0.3)

    def call(self, rows: dict, training: bool = False) -> tf.Tensor:
        noise = tf.random.normal([tf.shape(rows["x"])[0]]) if training else 0.0
        return self.line(self.drop((rows["x"] + noise)[:, tf.newaxis], training=training))[:, 0]

    def train_step(self, rows: dict) -> dict:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self(rows, training=True) - rows["y"]) ** 2)
        self.optimizer.minimize(loss, self.trainable_variables, tape)
        return {"loss": loss}


def as_it_is(rows: dict) -> dict:
    return rows


def by_keras(model, after_step, told):
    # Told how many there are: looking for one more, Keras counts it as a step of the optimizer.
    return lambda dataset, steps: keras_epoch(model, dataset, after_step, told, steps_per_epoch=steps)


def here(model, after_step, told, transform=as_it_is):
    return HERE.runner(model, transform, after_step, told)


def fitted(epoch, passes=None) -> tuple[list[float], list[np.ndarray], list[int]]:
    """Mean losses; weights, averages and the optimizer's steps; what was told, after two epochs."""
    tf.keras.utils.set_random_seed(3)
    model, told = Noisy(), []
    model.compile(optimizer=tf.keras.optimizers.Adam(0.1))
    dataset = batches(ARRAYS, 8, shuffle_seed=1)
    model(next(iter(dataset)))
    model.optimizer.build(model.trainable_variables)
    averaged = AveragedWeights(model.trainable_variables, 0.9)
    run = epoch(model, averaged.update, told.append)
    losses = [run(dataset if passes is None else passes.part(0, 0), 5) for _ in range(2)]
    variables = (*model.trainable_variables, *averaged.averages, model.optimizer.iterations)
    return losses, [variable.numpy() for variable in variables], told


@pytest.mark.parametrize("at_once", [1, 2, 16])
def test_steps_taken_in_one_graph_are_those_of_keras(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_process, "STEPS_AT_ONCE", at_once)
    (expected, wanted, _), (losses, weights, told) = fitted(by_keras), fitted(here)
    assert losses == expected
    for weight, other in zip(weights, wanted, strict=True):
        np.testing.assert_array_equal(weight, other)
    assert sum(told) == weights[-1] == 10
    assert max(told) == min(at_once, 5)


def test_batches_gathered_in_that_graph_are_those_of_a_data_set_and_it_is_made_once() -> None:
    traced = []

    def transform(rows: dict) -> dict:
        traced.append(rows)
        return rows

    (expected, wanted, _), (losses, weights, _) = (
        fitted(here),
        fitted(partial(here, transform=transform), InGraph(ARRAYS, 8, 1, 5)),
    )
    assert losses == expected
    for weight, other in zip(weights, wanted, strict=True):
        np.testing.assert_array_equal(weight, other)
    assert len(traced) == 1
