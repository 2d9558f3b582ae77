"""The encoder that reads one user without a loop says what Keras says."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from recommender.models.history_encoder import GruEncoder


@pytest.mark.parametrize("length", [1, 2, 37])
def test_a_user_alone_is_read_as_in_a_batch(length: int) -> None:
    random = np.random.default_rng(0)
    steps = random.normal(size=(3, length, 8)).astype(np.float32)
    encoder = GruEncoder(8)
    encoder.build((None, None, 8))
    encoder.set_weights([random.normal(size=weights.shape) for weights in encoder.get_weights()])
    together = encoder(steps).numpy()
    for user in range(3):
        np.testing.assert_allclose(encoder(steps[[user]]).numpy(), together[[user]], atol=1e-5)


def test_the_graph_of_one_user_has_no_loop() -> None:
    encoder = GruEncoder(8)
    encoder.build((None, None, 8))
    graph = tf.function(encoder.call).get_concrete_function(tf.TensorSpec((1, 37, 8), tf.float32)).graph
    definition = graph.as_graph_def()
    functions = [node for function in definition.library.function for node in function.node_def]
    assert not any("While" in node.op for node in [*definition.node, *functions])
