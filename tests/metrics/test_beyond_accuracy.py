import math
from itertools import combinations

import numpy as np
import pytest

from recommender.metrics import beyond_accuracy
from recommender.metrics.beyond_accuracy import NO_MOVIE, coverage_at_k, diversity_at_k, novelty_at_k


def test_coverage_is_the_share_of_the_catalogue_that_anybody_is_shown():
    top = np.array([[0, 1, 7], [1, 2, 8]])
    assert coverage_at_k(top, num_movies=10, k=2) == pytest.approx(3 / 10)


def test_an_empty_place_in_a_list_covers_nothing():
    assert coverage_at_k(np.array([[0, NO_MOVIE]]), num_movies=4, k=2) == pytest.approx(1 / 4)


def test_novelty_is_the_mean_number_of_bits_by_which_a_listed_movie_is_rare():
    counts = np.array([8, 2, 1])
    assert novelty_at_k(np.array([[0, 1], [1, 2]]), counts, num_users=8, k=2) == pytest.approx([1, 2.5])


def test_a_movie_that_nobody_rated_is_as_novel_as_one_that_a_single_user_rated():
    top = np.array([[0], [1]])
    assert novelty_at_k(top, np.array([0, 1]), num_users=8, k=1) == pytest.approx([3, 3])


def test_novelty_looks_at_listed_movies_only_and_an_empty_list_has_none():
    novelty = novelty_at_k(
        np.array([[0, NO_MOVIE], [NO_MOVIE, NO_MOVIE]]), np.array([1, 8]), num_users=8, k=2
    )
    assert novelty[0] == pytest.approx(3)
    assert math.isnan(novelty[1])


def slow_diversity(movies, genres):
    sets = [set(np.flatnonzero(genres[movie])) for movie in movies if movie != NO_MOVIE]
    pairs = list(combinations(sets, 2))
    return 1 - sum(len(a & b) / len(a | b) if a | b else 0 for a, b in pairs) / len(pairs)


def test_diversity_equals_a_plain_loop_over_pairs(monkeypatch):
    monkeypatch.setattr(beyond_accuracy, "PAIRS_AT_ONCE", 150)  # several blocks, the last one shorter
    rng = np.random.default_rng(0)
    genres = rng.random((20, 5)) < 0.3
    assert not genres.any(axis=1).all()  # some movies have no genres
    top = np.array([rng.permutation(20)[:8] for _ in range(7)])
    top[3, 5:] = NO_MOVIE
    np.testing.assert_allclose(
        diversity_at_k(top, genres, 6), [slow_diversity(row[:6], genres) for row in top]
    )


def test_movies_of_the_same_genres_have_no_diversity_and_of_different_ones_all_of_it():
    genres = np.array([[1, 0], [1, 0], [0, 1]], bool)
    assert diversity_at_k(np.array([[0, 1], [0, 2]]), genres, 2) == pytest.approx([0, 1])


def test_a_list_without_a_pair_has_no_diversity():
    genres = np.ones((2, 1), bool)
    assert math.isnan(diversity_at_k(np.array([[0, NO_MOVIE]]), genres, 2)[0])
    assert math.isnan(diversity_at_k(np.array([[0]]), genres, 1)[0])
