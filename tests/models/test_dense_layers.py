from __future__ import annotations

import numpy as np
import tensorflow as tf

from recommender.models.dense_layers import DenseLayers

X = tf.constant(np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32))


def test_layers_follow_one_another() -> None:
    layers = DenseLayers([5, 2], "relu")
    found = layers(X)
    expected = X.numpy()
    for layer in layers.hidden:
        expected = np.maximum(expected @ layer.kernel.numpy() + layer.bias.numpy(), 0)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_without_layers_nothing_happens() -> None:
    np.testing.assert_array_equal(DenseLayers([])(X), X)


def test_dropout_is_for_training_only() -> None:
    layers = DenseLayers([50], dropout=0.5)
    np.testing.assert_array_equal(layers(X), layers(X))
    dropped = np.mean(layers(X, training=True).numpy() == 0) - np.mean(layers(X).numpy() == 0)
    assert dropped > 0.1


def test_the_penalty_is_on_kernels_alone() -> None:
    layers = DenseLayers([2], l2=0.5)
    layers(X)
    layers.hidden[0].set_weights([np.full((3, 2), 2.0, np.float32), np.ones(2, np.float32)])
    assert float(tf.add_n(layers.losses)) == 0.5 * 6 * 4
