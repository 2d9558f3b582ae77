from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from recommender.models.history_encoder import ENCODERS, weighted_mean

STEPS = np.random.default_rng(1).normal(size=(2, 7, 8)).astype(np.float32)


def encoder(name: str) -> tf.keras.layers.Layer:
    tf.keras.utils.set_random_seed(3)
    layer = ENCODERS[name](8, 0.0)
    layer(STEPS)
    for weight in layer.trainable_weights:  # nothing may hide behind a zero
        weight.assign_add(tf.random.normal(weight.shape, stddev=0.3))
    return layer


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("changed", [1, 4, 6])
def test_a_later_step_never_changes_an_earlier_state(name: str, changed: int) -> None:
    layer, other = encoder(name), STEPS.copy()
    other[0, changed, 0] += 1.0
    before, after = layer(STEPS).numpy(), layer(other).numpy()
    np.testing.assert_array_equal(before[0, :changed], after[0, :changed])
    assert not np.isclose(before[0, changed:], after[0, changed:]).all(axis=1).any()
    np.testing.assert_array_equal(before[1], after[1])


@pytest.mark.parametrize("name", ENCODERS)
def test_the_state_is_that_of_the_steps_so_far(name: str) -> None:
    layer = encoder(name)
    for length in (1, 3, 7):
        np.testing.assert_allclose(layer(STEPS[:, :length]), layer(STEPS)[:, :length], atol=1e-5)


def test_a_weighted_mean_is_a_plain_loop() -> None:
    expected = np.zeros_like(STEPS)
    for step in range(7):
        weights = [0.9**back for back in range(step + 1)]
        for back, weight in enumerate(weights):
            expected[:, step] += weight * STEPS[:, step - back] / sum(weights)
    np.testing.assert_allclose(weighted_mean(STEPS, 0.9), expected, rtol=1e-4, atol=1e-6)


def test_attention_knows_how_far_back_a_step_lies() -> None:
    layer = encoder("transformer")
    swapped = STEPS[:, [1, 0, 2, 3, 4, 5, 6]]
    assert not np.allclose(layer(STEPS)[:, -1], layer(swapped)[:, -1], atol=1e-4)
