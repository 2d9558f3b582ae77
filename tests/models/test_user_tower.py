from __future__ import annotations

import numpy as np
import tensorflow as tf
import two_groups

from recommender.models.user_tower import UserTower


def tower(**options: object) -> UserTower:
    tf.keras.utils.set_random_seed(1)
    return two_groups.model(**options).user_tower


def vectors(layer: UserTower, histories: list[list[int]], **changes: np.ndarray) -> np.ndarray:
    columns = {**two_groups.users(np.zeros(len(histories), int), histories), **changes}
    return layer(columns).numpy()


def test_a_linear_tower_is_one_matrix_product_of_what_it_joins() -> None:
    layer = tower(hidden=[], user_features=["user_id", "age", "history"])
    vectors(layer, [[3]])
    layer.position.assign(np.log([2.0, 1.0, 3.0, 1.0, 1.0, 1.0]))
    movie = layer.embedding.movies(np.arange(two_groups.MOVIES + 1)).numpy()
    person = layer.embedding.tables["user_id"](1).numpy()
    mean, weighted = (movie[4] + movie[6] + movie[1]) / 3, (2 * movie[4] + movie[6] + 3 * movie[1]) / 6
    joined = np.concatenate([person, [1.5], mean, weighted, movie[4]])
    expected = joined @ layer.output_layer.kernel.numpy() + layer.output_layer.bias.numpy()
    actual = vectors(layer, [[3, 5, 0]], age=np.array([45], np.float32))
    np.testing.assert_allclose(actual[0], expected, rtol=1e-4, atol=1e-6)


def test_ratings_beyond_history_length_do_not_count() -> None:
    layer = tower(history_length=2)
    short, longer, other = vectors(layer, [[3, 5], [3, 5, 7], [3, 7]])
    np.testing.assert_allclose(short, longer, atol=1e-6)
    assert not np.allclose(short, other)


def test_a_history_length_beyond_the_data_takes_all_there_is() -> None:
    layer = tower(history_length=1000)
    one, two = vectors(layer, [[3, 5, 7, 9, 11, 1], [3, 5, 7, 9, 11]])
    assert layer.history_length == two_groups.LENGTH
    assert not np.allclose(one, two)


def test_a_user_without_id_and_history_gets_the_vector_of_their_demographics() -> None:
    layer = tower()
    stranger = np.zeros(1, np.int32)
    young = vectors(layer, [[]], user_id=stranger, age=np.array([20], np.float32))
    old = vectors(layer, [[]], user_id=stranger, age=np.array([70], np.float32))
    assert np.isfinite(young).all()
    assert not np.allclose(young, old)


def test_only_training_is_random() -> None:
    layer = tower(dropout=0.5, unknown_user_rate=0.5)
    columns = two_groups.rated_pairs(32)
    np.testing.assert_array_equal(layer(columns), layer(columns))
    assert not np.allclose(layer(columns, training=True), layer(columns, training=True))


def test_without_history_as_a_feature_the_history_does_not_matter() -> None:
    layer = tower(user_features=["user_id", "gender"])
    one, other = vectors(layer, [[3, 5], [2]])
    np.testing.assert_array_equal(one, other)
