import math

import numpy as np
import pytest
import sklearn.metrics

from recommender.metrics.top_k import (
    PER_USER_METRICS,
    accuracy_at_k,
    hit_rate_at_k,
    map_at_k,
    mrr_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
    standard_error,
)

# One user whose second and fourth recommendations are two of three relevant movies.
HITS = np.array([[False, True, False, True, False]])
RELEVANT = np.array([3])


def rankings(users=40, movies=30, seed=0):
    """Random scores without ties and random relevant movies, at least one a user."""
    rng = np.random.default_rng(seed)
    scores = rng.permuted(np.tile(np.arange(movies, dtype=float), (users, 1)), axis=1)
    wanted = rng.random((users, movies)) < 0.2
    wanted[:, 0] = True
    hits = np.take_along_axis(wanted, np.argsort(-scores, axis=1), axis=1)
    return scores, wanted, hits, wanted.sum(axis=1)


def test_recall_divides_by_all_relevant_movies_even_if_they_do_not_fit_into_the_list():
    assert recall_at_k(HITS, RELEVANT, 4) == pytest.approx([2 / 3])
    assert recall_at_k(HITS, RELEVANT, 2) == pytest.approx([1 / 3])


def test_precision_divides_by_the_length_of_the_list():
    assert precision_at_k(HITS, RELEVANT, 4) == pytest.approx([2 / 4])


def test_ndcg_discounts_by_the_logarithm_of_rank_plus_one_and_is_one_for_the_best_possible_list():
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg_at_k(HITS, RELEVANT, 4) == pytest.approx([(1 / math.log2(3) + 1 / math.log2(5)) / ideal])
    assert ndcg_at_k(np.ones((1, 2), bool), np.array([50]), 2) == pytest.approx([1])


def test_hit_rate_and_reciprocal_rank_look_at_the_first_hit_only():
    assert hit_rate_at_k(HITS, RELEVANT, 1) == pytest.approx([0])
    assert hit_rate_at_k(HITS, RELEVANT, 4) == pytest.approx([1])
    assert mrr_at_k(HITS, RELEVANT, 1) == pytest.approx([0])
    assert mrr_at_k(HITS, RELEVANT, 4) == pytest.approx([1 / 2])


def test_average_precision_divides_by_what_fits_into_the_list():
    assert map_at_k(HITS, RELEVANT, 4) == pytest.approx([(1 / 2 + 2 / 4) / 3])
    assert map_at_k(HITS, RELEVANT, 2) == pytest.approx([(1 / 2) / 2])


@pytest.mark.parametrize("k", [1, 5, 30])
def test_ndcg_agrees_with_scikit_learn(k):
    scores, wanted, hits, relevant = rankings()
    assert ndcg_at_k(hits, relevant, k).mean() == pytest.approx(
        sklearn.metrics.ndcg_score(wanted, scores, k=k)
    )


def test_average_precision_of_the_whole_ranking_agrees_with_scikit_learn():
    scores, wanted, hits, relevant = rankings()
    expected = sklearn.metrics.label_ranking_average_precision_score(wanted, scores)
    assert map_at_k(hits, relevant, scores.shape[1]).mean() == pytest.approx(expected)


def test_with_one_relevant_movie_the_metrics_collapse_as_they_should():
    hits = np.eye(6, dtype=bool)
    relevant = np.ones(6, int)
    np.testing.assert_allclose(recall_at_k(hits, relevant, 4), hit_rate_at_k(hits, relevant, 4))
    np.testing.assert_allclose(map_at_k(hits, relevant, 4), mrr_at_k(hits, relevant, 4))
    assert accuracy_at_k(hits, relevant, 4) == pytest.approx(hit_rate_at_k(hits, relevant, 4).mean())


def test_accuracy_counts_ratings_where_recall_counts_users():
    hits, relevant = np.array([[True, True], [False, False]]), np.array([2, 8])
    assert accuracy_at_k(hits, relevant, 2) == pytest.approx(2 / 10)
    assert recall_at_k(hits, relevant, 2).mean() == pytest.approx(1 / 2)
    assert math.isnan(accuracy_at_k(hits[:0], relevant[:0], 2))


@pytest.mark.parametrize("name", PER_USER_METRICS)
def test_every_metric_is_between_zero_and_one_and_looks_at_nothing_below_k(name):
    _, _, hits, relevant = rankings(seed=3)
    values = PER_USER_METRICS[name](hits, relevant, 10)
    assert values.shape == (40,)
    assert ((values >= 0) & (values <= 1)).all()
    np.testing.assert_array_equal(values, PER_USER_METRICS[name](hits[:, :10], relevant, 10))


def test_standard_error_leaves_out_users_without_a_value():
    assert standard_error(np.array([1.0, 3.0, np.nan])) == pytest.approx(math.sqrt(2) / math.sqrt(2))
    assert math.isnan(standard_error(np.array([1.0, np.nan])))
