from __future__ import annotations

import itertools

import numpy as np
import tensorflow as tf

from recommender.models.affinity import taste
from recommender.models.embedding import Embedded, History
from recommender.models.fields import dot_products, fields, pairwise_sum

VECTORS = np.random.default_rng(0).normal(size=(3, 5, 4)).astype(np.float32)


def test_the_pairwise_sum_is_the_double_loop_over_fields() -> None:
    expected = [
        sum(row[i] @ row[j] for i, j in itertools.combinations(range(len(row)), 2)) for row in VECTORS
    ]
    np.testing.assert_allclose(pairwise_sum(tf.constant(VECTORS)), expected, rtol=1e-4)


def test_dot_products_are_those_of_every_pair_once() -> None:
    expected = [[row[i] @ row[j] for i in range(len(row)) for j in range(i)] for row in VECTORS]
    found = dot_products(tf.constant(VECTORS))
    assert found.shape == (3, 10)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_the_users_taste_is_one_more_field_where_there_is_a_history() -> None:
    movies, numbers = tf.constant(VECTORS), tf.constant(VECTORS[:, :, 0])
    history = History(movies, numbers, numbers, numbers, tf.ones_like(numbers))
    embedding = tf.constant(VECTORS[:, 0])
    nothing = tf.zeros([3, 0])
    assert fields(Embedded({"movie_id": embedding}, nothing, None, {}, {})) == [embedding]
    last = fields(Embedded({"movie_id": embedding}, nothing, history, {}, {}))[-1]
    np.testing.assert_array_equal(last, taste(history))
