import os
import warnings
from pathlib import Path

import implicit.utils
import numpy as np
import pytest
import threadpoolctl

from recommender.data.interactions import Interactions
from recommender.errors import DataError
from recommender.evaluation.ranking import evaluate_ranking
from recommender.models import baselines
from recommender.models.baselines import fit_ease, fit_ials, fit_item_knn, fit_popularity, fit_top_k_baselines

DAY = 86_400
PERSONAL = {
    "item_knn": fit_item_knn,
    "ials": lambda known: fit_ials(known, seed=0, factors=8, reg=0.1),
    "ease": lambda known: fit_ease(known, reg=10.0),
}


def interactions(user, movie, timestamp=None, num_users=None, num_movies=None):
    user, movie = np.asarray(user, np.int32), np.asarray(movie, np.int32)
    n = len(user)
    return Interactions(
        user,
        movie,
        np.ones(n, np.float32),
        np.zeros(n, np.int64) if timestamp is None else np.asarray(timestamp, np.int64),
        np.zeros(n, np.int8),
        num_users or int(user.max()) + 1,
        num_movies or int(movie.max()) + 1,
    )


def checkerboard(size=40):
    """User u rates the movies of u's parity but for one, u itself; user `size` has rated nothing."""
    user, movie = np.divmod(np.arange(size * size), size)
    rated = ((user + movie) % 2 == 0) & (user != movie)
    return interactions(user[rated], movie[rated], num_users=size + 1, num_movies=size)


def test_popularity_counts_ratings_and_is_the_same_for_everybody():
    model = fit_popularity(interactions([0, 1, 2, 0], [1, 1, 1, 2], num_movies=4))
    assert model.scores(np.array([0, 2], np.int32)).tolist() == [[0, 3, 1, 0]] * 2


def test_with_a_half_life_older_ratings_count_less():
    known = interactions([0, 1, 2], [0, 0, 1], timestamp=[0, 3 * DAY, 6 * DAY])
    assert fit_popularity(known, half_life_days=3).weights.tolist() == [1 / 4 + 1 / 2, 1]
    assert fit_popularity(known).weights.tolist() == [2, 1]


def test_without_times_the_half_life_changes_nothing():
    known = interactions([0, 1, 2], [0, 0, 1])
    assert fit_popularity(known, half_life_days=3).weights.tolist() == fit_popularity(known).weights.tolist()


@pytest.mark.parametrize("name", PERSONAL)
def test_the_one_movie_of_its_kind_that_a_user_has_not_rated_comes_first(name):
    known = checkerboard()
    users = np.arange(40, dtype=np.int32)
    scores = PERSONAL[name](known).scores(users)
    scores[known.matrix()[users].toarray() > 0] = -np.inf
    assert scores.argmax(axis=1).tolist() == users.tolist()


@pytest.mark.parametrize("name", PERSONAL)
def test_a_user_without_history_gets_popularity(name):
    known = checkerboard()
    new = np.array([40], np.int32)
    np.testing.assert_array_equal(PERSONAL[name](known).scores(new), fit_popularity(known).scores(new))


@pytest.mark.parametrize("name", PERSONAL)
def test_many_users_at_once_get_what_each_gets_alone(name):
    scorer = PERSONAL[name](checkerboard())
    users = np.array([3, 40, 0], np.int32)
    alone = np.concatenate([scorer.scores(users[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(scorer.scores(users), alone, rtol=1e-4, atol=1e-6)


def random_ratings(users=60, movies=25, seed=0):
    user, movie = np.nonzero(np.random.default_rng(seed).random((users, movies)) < 0.3)
    return interactions(user, movie, num_users=users, num_movies=movies)


def test_item_knn_sums_the_cosines_of_the_nearest_neighbours():
    known = random_ratings()
    rated = known.matrix().toarray()
    weighted = rated * np.log(26 / np.maximum(rated.sum(axis=1, keepdims=True), 1))
    unit = weighted / np.linalg.norm(weighted, axis=0)
    cosine = unit.T @ unit
    nearest = np.argsort(-cosine, axis=1)[:, :6]  # a movie itself and five neighbours
    kept = np.zeros_like(cosine)
    np.put_along_axis(kept, nearest, np.take_along_axis(cosine, nearest, axis=1), axis=1)
    users = np.arange(60, dtype=np.int32)
    np.testing.assert_allclose(fit_item_knn(known, neighbours=5).scores(users), rated @ kept, rtol=1e-4)


def test_ease_is_the_ridge_regression_of_each_movie_on_all_others():
    known, reg = random_ratings(), 7.0
    rated = known.matrix().toarray().astype(np.float64)
    weights = np.zeros((25, 25))
    for movie in range(25):
        others = np.delete(np.arange(25), movie)
        x = rated[:, others]
        weights[others, movie] = np.linalg.solve(x.T @ x + reg * np.eye(24), x.T @ rated[:, movie])
    users = np.arange(60, dtype=np.int32)
    np.testing.assert_allclose(fit_ease(known, reg).scores(users), rated @ weights, rtol=1e-3, atol=1e-4)


def test_ials_solves_the_weighted_least_squares_of_its_paper():
    """At the end each movie's factors are nearly (conjugate gradients) the optimum given the users'."""
    known, alpha, reg = random_ratings(), 5.0, 0.5
    model = fit_ials(known, seed=0, factors=4, reg=reg, alpha=alpha, iterations=200)
    rated, users = known.matrix().toarray().astype(np.float64), model.user_factors.astype(np.float64)
    for movie in range(25):
        weight = np.where(rated[:, movie] > 0, alpha, 1.0)
        left = (users * weight[:, None]).T @ users + reg * np.eye(4)
        best = np.linalg.solve(left, users.T @ (weight * rated[:, movie]))
        np.testing.assert_allclose(model.movie_factors[movie], best, atol=2e-3)


def test_the_same_seed_gives_the_same_scores_and_another_seed_others():
    known, users = random_ratings(), np.arange(60, dtype=np.int32)
    first = fit_top_k_baselines(known, seed=1)
    for name, scorer in fit_top_k_baselines(known, seed=1).items():
        np.testing.assert_array_equal(scorer.scores(users), first[name].scores(users))
    assert (fit_ials(known, seed=2).scores(users) != first["ials"].scores(users)).any()


def test_fitting_neither_warns_nor_changes_the_number_of_threads(monkeypatch):
    monkeypatch.setattr(implicit.utils, "_checked_blas_config", False)  # it warns once per process only
    before = [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_top_k_baselines(random_ratings(), seed=0)
    assert [pool["num_threads"] for pool in threadpoolctl.threadpool_info()] == before


def test_a_catalogue_too_large_for_ease_goes_without_it(monkeypatch):
    names = ["popularity", "popularity_3_day_half_life", "item_knn", "ials", "ease"]
    assert list(fit_top_k_baselines(random_ratings(), seed=0)) == names
    monkeypatch.setattr(baselines, "EASE_MAX_MOVIES", 24)
    assert list(fit_top_k_baselines(random_ratings(), seed=0)) == names[:-1]


@pytest.mark.parametrize(("users", "movies"), [(1, 1), (1, 3), (3, 1), (2, 2)])
def test_the_smallest_data_gives_finite_scores(users, movies):
    user, movie = np.divmod(np.arange(users * movies), movies)
    known = interactions(user, movie, num_users=users + 1, num_movies=movies + 1)
    for scorer in fit_top_k_baselines(known, seed=0).values():
        scores = scorer.scores(np.arange(users + 1, dtype=np.int32))
        assert scores.shape == (users + 1, movies + 1)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()


@pytest.mark.parametrize("fit", [fit_popularity, *PERSONAL.values()])
def test_a_baseline_cannot_be_fitted_to_nothing(fit):
    with pytest.raises(DataError, match="at least one known rating, received 0"):
        fit(interactions([], [], num_users=2, num_movies=2))


@pytest.mark.movielens
def test_leave_last_one_on_ml_100k_gives_the_known_hit_rates():
    path = Path(os.environ.get("MOVIELENS_HOME", "")) / "ml-100k" / "u.data"
    if not path.is_file():
        pytest.skip("MOVIELENS_HOME holds no ml-100k/u.data")
    user, movie, rating, timestamp = np.loadtxt(path, dtype=np.int64).T
    order = np.lexsort((np.arange(len(user)), timestamp, user))
    last = order[np.flatnonzero(np.append(np.diff(user[order]) > 0, True))]
    split = np.zeros(len(user), np.int8)
    split[last] = 2
    columns = (user - 1).astype(np.int32), (movie - 1).astype(np.int32), rating.astype(np.float32), timestamp
    data = Interactions(*columns, split, 943, 1682)
    known, held_out = data.part("train"), data.part("test")
    hit_rate = {
        name: evaluate_ranking(scorer, known, held_out, [10]).metrics["hit_rate@10"]
        for name, scorer in fit_top_k_baselines(known, seed=0).items()
    }
    assert hit_rate["popularity"] == pytest.approx(0.086, abs=0.001)
    assert hit_rate["ease"] == pytest.approx(0.1485, abs=0.01)
    assert hit_rate["popularity"] < hit_rate["item_knn"] < hit_rate["ials"]
