import math

import numpy as np
import pytest
from scipy.sparse import csr_array

from recommender.metrics.sampled import (
    draw_negatives,
    rank_among,
    sampled_hit_rate_at_k,
    sampled_ndcg_at_k,
)

RATED = np.array([[1, 0, 0, 1, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 1, 1, 0, 0]], bool)


def draw(rows, number, seed=0):
    return draw_negatives(
        csr_array(RATED.astype(np.float32)), np.asarray(rows), number, np.random.default_rng(seed)
    )


def test_negatives_are_different_movies_that_the_user_never_rated():
    rows = np.repeat([0, 1, 2], 200)
    negatives = draw(rows, 3)
    assert negatives.shape == (600, 3)
    assert not RATED[rows[:, None], negatives].any()
    assert all(len(set(row)) == 3 for row in negatives.tolist())


def test_every_free_movie_is_drawn_equally_often():
    for row in range(3):
        free = np.flatnonzero(~RATED[row])
        counts = np.bincount(draw(np.full(20_000, row), 2).ravel(), minlength=8)
        expected = 20_000 * 2 / len(free)
        assert counts[RATED[row]].sum() == 0
        assert np.abs(counts[free] - expected).max() < 5 * math.sqrt(expected)


def test_as_many_negatives_as_free_movies_are_all_of_them():
    assert sorted(draw([2], 3)[0].tolist()) == [0, 6, 7]


def test_the_same_seed_draws_the_same_negatives_and_another_seed_others():
    rows = np.repeat([0, 1], 50)
    np.testing.assert_array_equal(draw(rows, 3, seed=1), draw(rows, 3, seed=1))
    assert (draw(rows, 3, seed=1) != draw(rows, 3, seed=2)).any()


def test_rank_counts_what_is_above_and_equal_scores_go_by_the_lower_movie_code():
    negatives = np.array([[2, 3, 4, 8]])
    scores = np.array([[0.9, 0.5, 0.1, 0.5]])
    assert rank_among(np.array([0.5]), np.array([5]), scores, negatives).tolist() == [3]
    assert rank_among(np.array([0.5]), np.array([1]), scores, negatives).tolist() == [2]
    assert rank_among(np.array([0.05]), np.array([1]), scores, negatives).tolist() == [5]


def test_a_rank_within_k_is_a_hit_discounted_by_its_logarithm():
    rank = np.array([1, 3, 4])
    assert sampled_hit_rate_at_k(rank, 3).tolist() == [1, 1, 0]
    assert sampled_ndcg_at_k(rank, 3) == pytest.approx([1, 1 / 2, 0])
