from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from recommender.training.averaging import AveragedWeights


def steps(decay: float, values: list[float]) -> tuple[AveragedWeights, tf.Variable]:
    weight = tf.Variable([5.0, 5.0])
    averaged = AveragedWeights([weight], decay)
    for value in values:
        weight.assign([value, -value])
        averaged.update()
    return averaged, weight


def test_averages_follow_the_formula() -> None:
    values = [1.0, 2.0, 4.0, 8.0]
    expected = 5.0
    for step, value in enumerate(values, start=1):
        decay = min(0.25, step / (step + 9))
        expected = decay * expected + (1 - decay) * value
    averaged, _ = steps(0.25, values)
    assert averaged.averages[0].numpy()[0] == pytest.approx(expected)


def test_without_decay_the_averages_are_the_weights() -> None:
    averaged, weight = steps(0.0, [0.1, 0.3])  # 5 + (0.1 - 5) is not 0.1
    np.testing.assert_array_equal(averaged.averages[0], weight)


def test_applied_puts_the_averages_in_place_and_the_weights_back_even_after_an_error() -> None:
    averaged, weight = steps(0.9, [1.0, 3.0])
    average = averaged.averages[0].numpy()
    with averaged.applied():
        np.testing.assert_array_equal(weight, average)
    np.testing.assert_array_equal(weight, [3.0, -3.0])
    with pytest.raises(ZeroDivisionError), averaged.applied():
        weight.assign([1 / 0, 0.0])
    np.testing.assert_array_equal(weight, [3.0, -3.0])
