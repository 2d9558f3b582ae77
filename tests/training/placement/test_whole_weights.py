from __future__ import annotations

import numpy as np
import tensorflow as tf

from recommender.training.placement.whole_weights import cut_up, pairs, put_together


class Lying:
    """A model and its optimizer by their weights alone."""

    def __init__(self, weights: list, slots: list) -> None:
        self.weights = weights
        self.optimizer = type("Optimizer", (), {"variables": slots})


class Pieces:
    """A variable in pieces, as an optimizer holds it."""

    def __init__(self, *variables: tf.Variable) -> None:
        self.variables = variables


def numbers(*shape: int) -> tf.Variable:
    return tf.Variable(np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32))


def test_what_was_cut_up_is_put_together_as_it_was() -> None:
    table, kernel, step, slot = numbers(5, 3), numbers(3, 2), numbers(), numbers(5, 3)
    whole = Lying([table, kernel, step], [slot])
    pieces = [tf.Variable(tf.zeros(shape)) for shape in ((2, 3), (2, 3), (1, 3), (3, 2), ())]
    slots = [tf.Variable(tf.zeros(shape)) for shape in ((3, 3), (2, 3))]
    weights = pairs(whole, Lying(pieces, [Pieces(*slots)]))
    assert [len(cut) for _, cut in weights] == [3, 1, 1, 2]
    cut_up(weights)
    np.testing.assert_array_equal(pieces[1], table[2:4])
    np.testing.assert_array_equal(slots[1], slot[3:])
    before = [variable.numpy() for variable in (table, kernel, step, slot)]
    for variable in (table, kernel, step, slot):
        variable.assign(tf.zeros_like(variable))
    put_together(weights)
    for variable, value in zip((table, kernel, step, slot), before, strict=True):
        np.testing.assert_array_equal(variable, value)
