from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from head_conformance import HeadConformance
from tiny_embedded import SPEC, dense, relu_layers, side_by_side, tiny_embedded

from recommender.models.heads.wide_deep import HashedCross, WideDeepHead


class TestWideDeepHead(HeadConformance):
    head = "wide_deep"
    options: ClassVar[dict[str, Any]] = {"hidden": [16, 8], "dropout": 0.0, "cross_buckets": 100}
    more_features: ClassVar[list[str]] = ["liked_movies"]


def test_the_score_is_wide_plus_deep() -> None:
    inputs, head = tiny_embedded(), WideDeepHead([6], dropout=0.0, spec=SPEC)
    head(inputs)
    head.wide.table.set_weights([np.arange(6 + 3 + 8 + 5)[:, None] / 10])
    bucket = int(head.cross.bucket(tf.constant([7]), tf.constant([2]))[0])
    crosses = np.zeros((10_000, 1))
    crosses[bucket] = 50.0  # of the second row: candidate 7 after liking 2
    head.cross.table.set_weights([crosses])
    deep = dense(head.score, relu_layers(head.deep.hidden, side_by_side(inputs)))[:, 0]
    user, gender, movie, genre = 0, 6, 9, 17  # where each feature's weights begin
    ones = [
        [user + 1, gender + 0, movie + 1, genre + 1],
        [user + 5, gender + 1, movie + 7, genre + 2, genre + 4],
        [user + 0, gender + 2, movie + 3],
    ]
    wide = [sum(row) / 10 for row in ones]
    np.testing.assert_allclose(head(inputs), np.add(np.add(wide, deep), [0, 50, 0]), rtol=1e-4, atol=1e-5)


def test_the_cross_memorises_a_pair_and_leaves_other_pairs_alone() -> None:
    """A pair that does not follow from its parts: only (3, 5) of nine pairs is liked."""
    first, second = (tf.constant(values) for values in ([1, 1, 1, 2, 2, 2, 3, 3, 3], [4, 5, 6] * 3))
    wanted = tf.cast((first == 3) & (second == 5), tf.float32)
    layer, optimizer = HashedCross(1000), tf.keras.optimizers.SGD(1.0)
    for _ in range(50):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(layer(first, second) - wanted))
        optimizer.apply_gradients(
            zip(tape.gradient(loss, layer.trainable_variables), layer.trainable_variables, strict=True)
        )
    np.testing.assert_allclose(layer(first, second), wanted, atol=1e-3)


def test_pairs_spread_evenly_over_the_buckets_and_always_the_same_way() -> None:
    first, second = (axis.ravel() for axis in np.meshgrid(np.arange(1, 301), np.arange(1, 301)))
    found = HashedCross(1000).bucket(tf.constant(first), tf.constant(second)).numpy()
    counts = np.bincount(found, minlength=1000)
    assert len(counts) == 1000
    assert counts.std() < 1.2 * np.sqrt(counts.mean())  # as random throws would: Poisson
    of_one_movie = np.bincount(found[first == 7], minlength=1000)
    assert of_one_movie.max() <= 6
    assert HashedCross(10_000).bucket(tf.constant([7]), tf.constant([2])).numpy() == [7709]


def test_a_pair_with_something_unknown_has_no_weight() -> None:
    layer = HashedCross(10)
    layer(tf.constant([1]), tf.constant([1]))
    layer.table.set_weights([np.ones((10, 1))])
    np.testing.assert_array_equal(layer(tf.constant([0, 3, 0, 3]), tf.constant([3, 0, 0, 3])), [0, 0, 0, 1])
