from __future__ import annotations

import numpy as np
import tensorflow as tf

from recommender.models.one_hot_linear import OneHotLinear

ROWS = {"gender": 3, "genres": 4, "movie_id": 5}
INDICES = {
    "movie_id": tf.constant([4, 0]),
    "gender": tf.constant([0, 2]),
    "genres": tf.constant([[1, 3, 0], [0, 0, 0]]),
}


def test_each_value_has_a_weight_of_its_own_and_padding_of_lists_has_none() -> None:
    layer = OneHotLinear(ROWS)
    np.testing.assert_array_equal(layer(INDICES), [0, 0])
    layer.table.set_weights([2.0 ** np.arange(12)[:, None]])
    gender, genres, movie = 0, 3, 7  # where each feature's weights begin
    expected = [
        2.0 ** (gender + 0) + 2.0 ** (genres + 1) + 2.0 ** (genres + 3) + 2.0 ** (movie + 4),
        2.0 ** (gender + 2) + 2.0 ** (movie + 0),
    ]
    np.testing.assert_array_equal(layer(INDICES), expected)


def test_the_penalty_is_on_all_weights() -> None:
    layer = OneHotLinear(ROWS, l2=0.5)
    layer(INDICES)
    layer.table.set_weights([np.full((12, 1), 2.0, np.float32)])
    assert float(tf.add_n(layer.losses)) == 0.5 * 12 * 4
