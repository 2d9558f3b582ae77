from __future__ import annotations

import numpy as np
import tensorflow as tf
import two_groups

from recommender.models.rated_sequence import RatedSequence
from recommender.models.retrieval import RetrievalModel
from recommender.models.user_tower import UserTower

RATED = np.array([[3, 5, 1, 0, 0], [2, 4, 6, 8, 10]], np.int32)
STARS = np.where(RATED > 0, 4, 0).astype(np.float32)
AGES = np.array([[900, 500, 500, 0, 0], [99, 80, 60, 40, 20]], np.float32)


def retrieval(**options: object) -> RetrievalModel:
    tf.keras.utils.set_random_seed(1)
    return two_groups.model(**options)


def vectors(layer: UserTower, rated=RATED, stars=STARS, ages=AGES, **changes: np.ndarray) -> np.ndarray:
    fixed = {**two_groups.users(np.arange(len(rated)), []), **changes}
    return layer(fixed, RatedSequence(rated, stars, ages)).numpy()


def test_there_is_a_vector_before_the_first_rating_and_after_each() -> None:
    assert vectors(retrieval().towers[0].user_tower).shape == (2, 6, 8)


def test_a_later_rating_never_changes_an_earlier_vector() -> None:
    layer = retrieval(history_encoder=["gru"]).towers[0].user_tower
    before = vectors(layer)
    for changes in (
        {"rated": RATED + (RATED == 6)},
        {"stars": STARS - (RATED == 6)},
        {"ages": AGES + (RATED == 6) * 19.5},
    ):
        after = vectors(layer, **changes)
        np.testing.assert_allclose(before[1, :3], after[1, :3], atol=1e-6)
        assert not np.allclose(before[1, 3], after[1, 3], atol=1e-5)


def test_padding_does_not_matter() -> None:
    layer = retrieval().towers[0].user_tower
    short = vectors(layer, RATED[:1, :3], STARS[:1, :3], AGES[:1, :3])
    np.testing.assert_allclose(short, vectors(layer)[:1, :4], atol=1e-6)


def test_the_moment_from_which_ages_count_does_not_matter() -> None:
    layer = retrieval().towers[0].user_tower
    np.testing.assert_allclose(vectors(layer), vectors(layer, ages=AGES + 1000), atol=1e-6)


def test_ratings_beyond_history_length_do_not_count() -> None:
    model = retrieval(history_length=2)
    columns = two_groups.users(np.zeros(3, int), [[3, 5], [3, 5, 7], [3, 7]])
    short, longer, other = model.user_vectors(columns).numpy()
    np.testing.assert_allclose(short, longer, atol=1e-6)
    assert not np.allclose(short, other)


def test_a_history_length_beyond_the_data_takes_all_there_is() -> None:
    model = retrieval(history_length=1000)
    one, two = model.user_vectors(two_groups.users(np.zeros(2, int), [[3, 5, 7, 9, 11, 1], [3, 5, 7, 9, 11]]))
    assert model.history_length == two_groups.LENGTH
    assert not np.allclose(one, two)


def test_a_user_without_id_and_history_gets_the_vector_of_their_demographics() -> None:
    layer = retrieval(user_features=["user_id", "age", "history"]).towers[0].user_tower
    strangers = np.zeros(2, np.int32)
    nothing = np.zeros((2, 0), np.int32)
    young, old = vectors(
        layer, nothing, nothing * 1.0, nothing * 1.0, user_id=strangers, age=np.array([20, 70], np.float32)
    )
    assert np.isfinite(young).all()
    assert not np.allclose(young, old)


def test_only_training_is_random() -> None:
    model, rows = (
        retrieval(dropout=0.5, user_features=["user_id", "history"], unknown_user_rate=0.5),
        two_groups.stretches(32),
    )
    np.testing.assert_array_equal(model(rows)[0], model(rows)[0])
    assert not np.allclose(model(rows, training=True)[0], model(rows, training=True)[0])


def test_without_history_as_a_feature_the_history_does_not_matter() -> None:
    model = retrieval(user_features=["user_id", "gender"])
    one, other = model.user_vectors(two_groups.users(np.zeros(2, int), [[3, 5], [2]])).numpy()
    np.testing.assert_array_equal(one, other)
