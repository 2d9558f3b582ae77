from __future__ import annotations

import numpy as np
import tensorflow as tf

from recommender.data.batches import batches

ARRAYS = {"x": np.arange(10), "y": np.arange(20).reshape(10, 2)}


def passes(**options) -> list[np.ndarray]:
    return [batch["x"].numpy() for batch in batches(ARRAYS, 4, **options)]


def test_rows_come_in_order_and_stay_together() -> None:
    found = list(batches(ARRAYS, 4))
    assert [batch["x"].numpy().tolist() for batch in found] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    np.testing.assert_array_equal(np.concatenate([batch["y"] for batch in found]), ARRAYS["y"])


def test_every_pass_is_a_permutation_of_all_rows() -> None:
    assert sorted(np.concatenate(passes(shuffle_seed=1))) == list(range(10))
    assert np.concatenate(passes(shuffle_seed=1)).tolist() != list(range(10))


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    epoch = tf.Variable(0, dtype=tf.int64)
    dataset = batches(ARRAYS, 10, shuffle_seed=1, epoch=epoch)
    first, again = (next(iter(dataset))["x"].numpy().tolist() for _ in range(2))
    epoch.assign(1)
    second = next(iter(dataset))["x"].numpy().tolist()
    assert first == again == np.concatenate(passes(shuffle_seed=1)).tolist()
    assert second != first
    assert np.concatenate(passes(shuffle_seed=2)).tolist() != first
