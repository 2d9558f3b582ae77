import numpy as np
import pytest

from recommender.evaluation import top_k
from recommender.evaluation.top_k import top_k_movies
from recommender.metrics.beyond_accuracy import NO_MOVIE


@pytest.mark.parametrize("k", [1, 7, 50])
def test_the_best_movies_are_those_of_a_plain_sort(k):
    rng = np.random.default_rng(0)
    scores = (rng.normal(size=(20, 50)) * 10 ** rng.uniform(-30, 30, (20, 50))).astype(np.float32)
    np.testing.assert_array_equal(top_k_movies(scores, k), np.argsort(-scores, axis=1, kind="stable")[:, :k])


def test_rows_taken_in_parts_give_what_they_give_at_once(monkeypatch):
    scores = np.random.default_rng(2).integers(-9, 9, (10, 30)).astype(np.float32)
    scores[3, 2:] = -np.inf
    expected = top_k_movies(scores, 5)
    monkeypatch.setattr(top_k, "SCORES_AT_ONCE", 100)  # three rows
    np.testing.assert_array_equal(top_k_movies(scores, 5), expected)
    assert expected[3, 2:].tolist() == [NO_MOVIE] * 3


def test_of_equal_scores_the_lower_code_comes_first_also_at_the_cut():
    scores = np.random.default_rng(1).integers(-2, 3, (50, 40)).astype(np.float32)
    np.testing.assert_array_equal(
        top_k_movies(scores, 11), np.argsort(-scores, axis=1, kind="stable")[:, :11]
    )


def test_zero_and_minus_zero_are_equal():
    assert top_k_movies(np.array([[-0.0, 0.0, -1.0]], np.float32), 2).tolist() == [[0, 1]]


def test_movies_that_are_no_candidates_leave_empty_places():
    scores = np.array([[-np.inf, 1, -np.inf, np.inf], [-np.inf] * 4], np.float32)
    assert top_k_movies(scores, 3).tolist() == [[3, 1, NO_MOVIE], [NO_MOVIE] * 3]


def test_more_places_than_movies_stay_empty():
    assert top_k_movies(np.array([[1, 2]], np.float32), 4).tolist() == [[1, 0, NO_MOVIE, NO_MOVIE]]


def test_the_scores_are_left_as_they_are():
    scores = np.array([[-1, 2, -3]], np.float32)
    top_k_movies(scores, 2)
    assert scores.tolist() == [[-1, 2, -3]]
