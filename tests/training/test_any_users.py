from __future__ import annotations

import numpy as np
import tensorflow as tf

from recommender.training.any_users import for_any_users


def test_other_numbers_of_users_do_not_trace_anew() -> None:
    traces = []

    def total(users: dict[str, tf.Tensor]) -> tf.Tensor:
        traces.append(users["history_movies"].shape)
        return tf.reduce_sum(users["history_movies"], axis=1) + users["user_id"]

    columns = {"history_movies": np.arange(12, dtype=np.int32).reshape(4, 3), "user_id": np.ones(4, np.int32)}
    traced = for_any_users(total, columns)
    for number in (1, 4, 2):
        rows = {name: tf.constant(column[:number]) for name, column in columns.items()}
        np.testing.assert_array_equal(traced(rows), [4, 13, 22, 31][:number])
    assert len(traces) == 1
