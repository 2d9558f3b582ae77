import math

import numpy as np
import pytest

from recommender.data.interactions import Interactions
from recommender.errors import DataError


def test_only_movies_that_the_user_never_rated_are_drawn(data, evaluate):
    """A scorer that puts what a user ever rated first is then perfect; one that puts it last never hits."""
    rated = data.matrix().toarray()
    assert evaluate(rated, data, rated=data).metrics["hit_rate@3/99neg"] == 1
    assert evaluate(-rated, data, rated=data).metrics["hit_rate@10/99neg"] == 0


def held_out_only(user, movie, num_users, num_movies):
    n = len(user)
    columns = user.astype(np.int32), movie.astype(np.int32), np.ones(n, np.float32), np.zeros(n, np.int64)
    return Interactions(*columns, np.full(n, 2, np.int8), num_users, num_movies)


def test_random_scores_hit_with_k_ratings_in_a_hundred(evaluate):
    rng = np.random.default_rng(0)
    values = rng.random((2_000, 150), np.float32)
    movies = np.argsort(rng.random(values.shape), axis=1)[:, :10]
    data = held_out_only(np.repeat(np.arange(2_000), 10), movies.ravel(), *values.shape)
    metrics = evaluate(values, data, rated=data).metrics
    assert metrics["hit_rate@10/99neg"] == pytest.approx(10 / 100, abs=0.01)
    assert metrics["hit_rate@3/99neg"] == pytest.approx(3 / 100, abs=0.01)


def test_the_draws_depend_on_the_seed_only(data, values, evaluate):
    first = evaluate(values, data, rated=data, seed=1).metrics
    assert evaluate(values, data, rated=data, seed=1).metrics == first
    assert evaluate(values, data, rated=data, seed=2).metrics["ndcg@10/99neg"] != first["ndcg@10/99neg"]


def test_users_with_too_few_unrated_movies_are_left_out(evaluate):
    """User 0 has rated all movies but 98, user 1 all but 99: only user 1 can be asked."""
    user, movie = np.repeat([0, 1], [12, 11]), np.concatenate([np.arange(12), np.arange(11)])
    data = held_out_only(user, movie, 2, 110)
    values = np.zeros((2, 110), np.float32)
    values[1, :11] = 1
    assert evaluate(values, data, rated=data).metrics["hit_rate@3/99neg"] == 1
    only_first = data.where(data.user == 0)
    assert math.isnan(evaluate(values, only_first, rated=only_first).metrics["hit_rate@3/99neg"])


def test_the_protocol_is_absent_unless_asked_for_and_for_lists_longer_than_it(data, values, evaluate):
    assert "hit_rate@10/99neg" not in evaluate(values, data).metrics
    assert "hit_rate@100/99neg" not in evaluate(values, data, ks=[10, 100], rated=data).metrics


def test_held_out_ratings_must_be_among_those_that_are_never_drawn(data, values, evaluate):
    missing = len(data.part("test"))
    with pytest.raises(DataError, match=f"{missing} held-out ones are missing"):
        evaluate(values, data, rated=data.part("train"))
