import math

import numpy as np
import pytest

from recommender.data.interactions import Interactions
from recommender.errors import DataError
from recommender.metrics.rating import rmse
from recommender.models.baselines import (
    fit_global_mean,
    fit_item_mean,
    fit_rating_baselines,
    fit_user_item_bias,
)
from recommender.models.baselines.running_bias import RunningBias, RunningStatistics, fit_running_bias


def interactions(user, movie, rating, num_users=4, num_movies=4):
    n = len(user)
    return Interactions(
        np.array(user, np.int32),
        np.array(movie, np.int32),
        np.array(rating, np.float32),
        np.zeros(n, np.int64),
        np.zeros(n, np.int8),
        num_users,
        num_movies,
    )


TRAIN = interactions([0, 0, 1, 1, 2], [0, 1, 0, 2, 0], [5, 3, 4, 1, 5])
NEW = np.array([3], np.int32)
NOTHING = interactions([], [], [])


def predict(model, user, movie):
    return model.predict(np.array([user], np.int32), np.array([movie], np.int32))[0]


def test_the_global_mean_is_the_mean_of_the_training_ratings_for_everybody():
    model = fit_global_mean(TRAIN)
    assert predict(model, 0, 0) == predict(model, 3, 3) == pytest.approx(18 / 5)


def test_the_item_mean_is_shrunk_towards_the_global_mean():
    model = fit_item_mean(TRAIN, reg=2.0)
    assert predict(model, 1, 0) == pytest.approx((5 + 4 + 5 + 2 * 3.6) / (3 + 2))
    assert predict(model, 1, 2) == pytest.approx((1 + 2 * 3.6) / (1 + 2))


def test_biases_are_shrunk_and_the_user_explains_what_the_movie_leaves():
    model = fit_user_item_bias(TRAIN, movie_reg=2.0, user_reg=1.0)
    movie = {0: (1.4 + 0.4 + 1.4) / (3 + 2), 1: -0.6 / (1 + 2), 2: -2.6 / (1 + 2)}
    user = ((1.4 - movie[0]) + (-0.6 - movie[1])) / (2 + 1)
    assert predict(model, 0, 0) == pytest.approx(3.6 + movie[0] + user, rel=1e-6)
    assert predict(model, 0, 2) == pytest.approx(3.6 + movie[2] + user, rel=1e-6)


def test_who_or_what_was_never_seen_falls_back_to_what_is_known():
    bias, item = fit_user_item_bias(TRAIN), fit_item_mean(TRAIN)
    assert predict(bias, 3, 3) == predict(item, 0, 3) == pytest.approx(3.6)
    assert predict(bias, 3, 0) == pytest.approx(3.6 + bias.movie_bias[0])
    assert predict(bias, 0, 3) == pytest.approx(3.6 + bias.user_bias[0])


def test_on_ratings_made_of_biases_each_baseline_beats_the_one_before():
    rng = np.random.default_rng(0)
    user, movie = np.divmod(rng.permutation(100 * 80), 80)
    rating = (
        3.5 + rng.normal(0, 0.5, 100)[user] + rng.normal(0, 0.5, 80)[movie] + rng.normal(0, 0.3, len(user))
    )
    train = interactions(user[:4_000], movie[:4_000], rating[:4_000], 100, 80)
    errors = [
        rmse(model.predict(user[4_000:], movie[4_000:]), rating[4_000:])
        for model in fit_rating_baselines(train).values()
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.33


def test_all_rating_baselines_answer_alike():
    models = fit_rating_baselines(TRAIN)
    assert list(models) == ["global_mean", "item_mean", "user_item_bias"]
    for model in models.values():
        predicted = model.predict(TRAIN.user, TRAIN.movie)
        assert predicted.dtype == np.float32
        assert predicted.shape == (5,)
        assert np.isfinite(predicted).all()


@pytest.mark.parametrize("fit", [fit_global_mean, fit_item_mean, fit_user_item_bias])
def test_a_baseline_cannot_be_fitted_to_nothing(fit):
    with pytest.raises(DataError, match="at least one training rating, received 0"):
        fit(NOTHING)


def statistics(rows=4_000, seed=0):
    """Ratings of users and movies with biases, and what was known of both before each of them."""
    rng = np.random.default_rng(seed)
    movie_count, user_count = rng.integers(0, 50, rows), rng.integers(0, 50, rows)
    movie_bias, user_bias = rng.normal(0, 0.5, rows), rng.normal(0, 0.5, rows)
    noise = rng.normal(0, 1, (2, rows)) / np.sqrt(np.maximum([movie_count, user_count], 1))
    known = RunningStatistics(
        movie_count,
        np.where(movie_count > 0, 3.5 + movie_bias + noise[0], np.nan),
        user_count,
        np.where(user_count > 0, user_bias + noise[1], np.nan),
    )
    return known, 3.5 + movie_bias + user_bias + rng.normal(0, 1, rows)


def test_the_running_bias_follows_its_formula():
    model = RunningBias(mean=3.5, movie_reg=4.0, user_reg=8.0)
    known = RunningStatistics(np.array([12]), np.array([4.5]), np.array([8]), np.array([-1.0]))
    assert model.predict(known) == pytest.approx([3.5 + 12 / 16 * 1.0 - 8 / 16 * 1.0])


def test_without_any_earlier_rating_the_running_bias_is_the_mean():
    none = np.array([0])
    missing = np.array([math.nan])
    predicted = RunningBias(3.5, 4.0, 8.0).predict(RunningStatistics(none, missing, none, missing))
    assert predicted.tolist() == [3.5]


def test_the_running_bias_is_regularised_by_noise_over_signal():
    """Noise of variance 1 on biases of variance 0.25: the best pseudo-count is 1 / 0.25."""
    model = fit_running_bias(*statistics(rows=40_000))
    assert (model.movie_reg, model.user_reg) == (4.0, 4.0)


def test_the_chosen_regularisation_is_the_best_of_the_grid_on_new_rows_too():
    model = fit_running_bias(*statistics())
    known, rating = statistics(seed=1)
    for reg in (0.5, 32.0):
        assert rmse(model.predict(known), rating) < rmse(
            RunningBias(model.mean, reg, reg).predict(known), rating
        )


def test_the_running_bias_cannot_be_fitted_to_nothing():
    nothing = RunningStatistics(*[np.zeros(0)] * 4)
    with pytest.raises(DataError, match="at least one training rating, received 0"):
        fit_running_bias(nothing, np.zeros(0))
