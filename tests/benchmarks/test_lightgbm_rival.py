import numpy as np
import pytest

from recommender.data.features import select

FEATURES = ["gender", "occupation", "movie_id", "genres", "top_genres", "user_count", "release_year"]


@pytest.fixture
def arrays(prepared):
    return {**prepared.examples("train", select(FEATURES, "features")), "rating": np.zeros(1)}


def test_a_list_becomes_one_column_for_each_item(prepared, arrays):
    from lightgbm_rival import flat_columns

    table, schema = flat_columns(arrays, prepared.schema), prepared.schema
    genres = table[[f"genres {genre}" for genre in schema.genres]].to_numpy()
    expected = prepared.genre_matrix()[prepared.interactions.part("train").movie]
    np.testing.assert_array_equal(genres.astype(bool), expected)


def test_the_rival_reads_the_same_columns_and_nothing_else(prepared, arrays):
    from lightgbm_rival import flat_columns

    table = flat_columns(arrays, prepared.schema)
    assert {str(name).split(" ")[0] for name in table} == set(FEATURES)
    assert table["movie_id"].cat.codes.to_numpy().tolist() == arrays["movie_id"].tolist()
    np.testing.assert_array_equal(table["user_count"], arrays["user_count"])


def test_movies_that_training_has_not_seen_are_one_category(prepared, arrays):
    from lightgbm_rival import flat_columns

    arrays["movie_id"][:] = prepared.schema.known_movies + 1
    assert set(flat_columns(arrays, prepared.schema)["movie_id"]) == {0}


def test_trees_are_added_until_held_out_rows_gain_no_more(prepared, arrays):
    from lightgbm_rival import PATIENCE, fit_lightgbm, flat_columns

    table = flat_columns(arrays, prepared.schema)
    rng = np.random.default_rng(0)
    liked = rng.random(len(table)) < np.where(table["user_count"] > 15, 0.8, 0.3)
    half = len(table) // 2
    model, history = fit_lightgbm(table[:half], liked[:half], table[half:], liked[half:], seed=1)
    losses = history["binary_logloss"]
    assert losses[model.best_iteration - 1] == min(losses)
    assert len(losses) == model.best_iteration + PATIENCE
    assert history["auc"][model.best_iteration - 1] > 0.65  # 0.74 for who knows the rule
