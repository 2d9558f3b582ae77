import numpy as np
import pytest

from recommender.data.features import FEATURES
from recommender.evaluation.cold_start import rated_movies, with_last_ratings, without_demographics

HISTORY = [feature for feature in FEATURES if feature.source == "user_history"]
COLUMNS = [column for feature in HISTORY for column in feature.columns]


@pytest.fixture(scope="module")
def arrays(prepared):
    return prepared.examples("test", FEATURES)


@pytest.fixture(scope="module")
def movies(prepared):
    return rated_movies(prepared.genre_matrix(), prepared.movies)


def test_with_everything_that_there_was_it_is_what_the_feature_sql_says(prepared, arrays, movies):
    """Users with no more ratings than a history holds have all their features made of it alone."""
    schema = prepared.schema
    short = arrays["user_count"] <= schema.history_length
    assert np.count_nonzero(short) > 20
    given = {name: array[short] for name, array in arrays.items()}
    made = with_last_ratings(given, schema.history_length, movies, schema)
    assert made.keys() == given.keys()
    for name, expected in given.items():
        np.testing.assert_allclose(made[name], expected, rtol=1e-5, atol=1e-5, err_msg=name)


def test_a_user_of_three_ratings_is_made_of_the_last_three(prepared, arrays, movies):
    row = int(np.flatnonzero(arrays["user_count"] >= 5)[0])
    made = with_last_ratings(arrays, 3, movies, prepared.schema)
    ratings, ages = arrays["history_ratings"][row, :3], arrays["history_ages"][row, :3]
    assert made["history_movies"][row].tolist() == [*arrays["history_movies"][row, :3].tolist(), *[0] * 7]
    assert made["user_count"][row] == 3
    assert made["user_mean"][row] == pytest.approx(ratings.mean())
    assert made["user_stddev"][row] == pytest.approx(ratings.std(), abs=1e-6)
    assert made["user_deviation"][row] == pytest.approx(arrays["history_deviations"][row, :3].mean())
    assert made["days_since_first"][row] == pytest.approx(ages.max() / 86_400)
    liked = [m for m, r in zip(made["history_movies"][row], ratings, strict=False) if r >= 4]
    assert made["liked_movies"][row].tolist() == [*liked, *[0] * (5 - len(liked))]


def test_a_user_without_ratings_is_as_the_feature_sql_has_them(prepared, arrays, movies):
    new = int(np.flatnonzero(arrays["user_count"] == 0)[0])
    made = with_last_ratings(arrays, 0, movies, prepared.schema)
    for name in COLUMNS:
        np.testing.assert_array_equal(made[name][0], arrays[name][new], err_msg=name)


def test_nothing_but_the_history_changes(prepared, arrays, movies):
    made = with_last_ratings(arrays, 1, movies, prepared.schema)
    for name in set(arrays) - set(COLUMNS):
        assert made[name] is arrays[name]


def test_only_the_columns_that_are_asked_for_are_made(prepared, arrays, movies):
    few = {name: arrays[name] for name in COLUMNS if name.startswith("history")}
    assert with_last_ratings(few, 1, movies, prepared.schema).keys() == few.keys()


def test_without_demographics_a_user_is_as_one_whose_data_set_tells_nothing(arrays):
    made = without_demographics(arrays)
    assert not made["gender"].any()
    assert not made["occupation"].any()
    assert not made["user_id"].any()
    assert np.isnan(made["age"]).all()
    assert made["history_movies"] is arrays["history_movies"]
    assert arrays["gender"].any()
