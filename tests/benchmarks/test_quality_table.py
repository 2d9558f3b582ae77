"""The table of results and the peers in it that are no baselines of the product."""

from __future__ import annotations

import numpy as np
import pytest

from recommender.data.interactions import Interactions


def rated(user: list[int], movie: list[int], rating: list[float], movies: int) -> Interactions:
    n = len(user)
    columns = np.array(user, np.int32), np.array(movie, np.int32), np.array(rating, np.float32)
    return Interactions(*columns, np.arange(n), np.zeros(n, np.int8), max(user) + 1, movies)


def test_a_line_is_beaten_where_the_mean_over_seeds_is_better_than_every_peer() -> None:
    import quality

    goal = quality.Goal("rmse", required=0.92, ambition=0.912)
    runs = [{"rmse": 0.91}, {"rmse": 0.92}]
    found = quality.compare(goal, runs, {"a": {"rmse": 0.93}, "b": {"rmse": 0.916}, "c": {"auc": 1.0}})
    assert (found["mean"], found["best_peer"], found["beaten"]) == (pytest.approx(0.915), "b", True)
    assert (found["required_reached"], found["ambition_reached"]) == (True, False)
    assert found["deviation"] == pytest.approx(0.00707, abs=1e-5)

    found = quality.compare(quality.Goal("auc", 0.7), [{"auc": 0.69}], {"a": {"auc": 0.6}, "b": {"auc": 0.7}})
    assert (found["best_peer"], found["beaten"], found["required_reached"]) == ("b", False, False)
    assert (found["deviation"], found["ambition_reached"]) == (None, None)
    line = {"line": "likes", "metrics": [found], "cpu_seconds_per_seed": 3.2}
    assert quality.show(line) == "| likes | auc | 0.6900 | 0.7000 b | no | 0.7: no | – | 3 |"


def test_every_line_of_the_table_has_settings_that_load() -> None:
    import quality

    from recommender.config import load_settings

    for line in quality.LINES.values():
        assert line.model in quality.MEASURES
        assert load_settings(overrides=line.settings, environ={}).ranking.features


def test_a_factorisation_finds_two_groups_that_like_the_opposite() -> None:
    from biased_factorisation import fit_biased_factorisation

    user, movie = (values.ravel() for values in np.meshgrid(np.arange(40), np.arange(20), indexing="ij"))
    liked = (user % 2) == (movie % 2)
    shown = np.random.default_rng(0).random(len(user)) < 0.7
    rating = np.where(liked, 5.0, 1.0)
    known = rated(user[shown].tolist(), movie[shown].tolist(), rating[shown].tolist(), movies=20)
    predicted = fit_biased_factorisation(known, size=2, penalty=1.0).predict(user[~shown], movie[~shown])
    assert np.sqrt(np.mean((predicted - rating[~shown]) ** 2)) < 0.5


def test_fold_in_of_the_trees_features_is_a_ridge_regression_of_each_user() -> None:
    from types import SimpleNamespace

    from history_features import _ridge

    random = np.random.default_rng(0)
    columns, target = random.normal(size=(3, 7, 4)), random.normal(size=(3, 7))
    found = _ridge(columns, target, SimpleNamespace(noise=0.8))
    for row in range(3):
        prior = np.diag([4.0, 1.0, 1.0, 1.0])
        matrix = columns[row].T @ columns[row] / 0.8 + prior
        np.testing.assert_allclose(found[row], np.linalg.solve(matrix, columns[row].T @ target[row] / 0.8))
