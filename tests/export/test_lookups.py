from __future__ import annotations

import tensorflow as tf

from recommender.export.lookups import Lookup


def test_keys_are_counted_from_one_and_others_are_zero() -> None:
    lookup = Lookup(["a", "é"])
    assert lookup(tf.constant([["é", "a"], ["b", ""]])).numpy().tolist() == [[2, 1], [0, 0]]


def test_keys_may_have_indices_of_their_own() -> None:
    assert Lookup([b"a", b"b"], [7, 3])(tf.constant(["b", "a", ""])).numpy().tolist() == [3, 7, 0]


def test_a_vocabulary_without_values_knows_nothing() -> None:
    assert Lookup([])(tf.constant(["F", ""])).numpy().tolist() == [0, 0]
