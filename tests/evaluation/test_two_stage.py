"""Lists of two stages as a ranking of the whole catalogue."""

from __future__ import annotations

import numpy as np
import pytest

from recommender.data.interactions import Interactions
from recommender.evaluation.ranking import evaluate_ranking
from recommender.evaluation.two_stage import CandidateLists, TwoStageScorer
from recommender.metrics.beyond_accuracy import NO_MOVIE

MOVIES = 6
RETRIEVAL = np.array([[0.6, 0.5, 0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]], np.float32)


def ratings(*pairs: tuple[int, int]) -> Interactions:
    user, movie = np.array(pairs, np.int32).reshape(-1, 2).T
    n = len(user)
    return Interactions(
        user, movie, np.full(n, 4, np.float32), np.arange(n), np.zeros(n, np.int8), len(RETRIEVAL), MOVIES
    )


class FixedRetrieval:
    def scores(self, users):
        return RETRIEVAL[users]


def turned_round(users, movies, retrieved):
    """The order that puts the candidate of the lowest retrieval score first."""
    return -retrieved


def ranking(order, known: Interactions, candidates: int, held_out: Interactions) -> list[list[int]]:
    scorer = TwoStageScorer(CandidateLists(FixedRetrieval(), known, candidates), order)
    return evaluate_ranking(scorer, known, held_out, [MOVIES]).top.tolist()


def test_the_final_order_stands_first_and_the_rest_follows_as_retrieved() -> None:
    held_out = ratings((0, 5), (1, 0))
    assert ranking(turned_round, ratings(), 3, held_out) == [[2, 1, 0, 3, 4, 5], [3, 4, 5, 2, 1, 0]]


def test_movies_that_the_user_knows_take_no_place_among_the_candidates() -> None:
    known = ratings((0, 0), (0, 2))
    found = ranking(turned_round, known, 2, ratings((0, 5)))
    assert found == [[3, 1, 4, 5, NO_MOVIE, NO_MOVIE]]


def test_a_user_with_fewer_movies_left_than_candidates_gets_those() -> None:
    known = ratings((0, 0), (0, 1), (0, 2), (0, 3))
    movies, retrieved, _ = CandidateLists(FixedRetrieval(), known, 4)(np.array([0, 1], np.int32))
    assert movies.tolist() == [[4, 5, NO_MOVIE, NO_MOVIE], [5, 4, 3, 2]]
    np.testing.assert_allclose(retrieved[1], [0.6, 0.5, 0.4, 0.3])
    assert ranking(turned_round, known, 4, ratings((0, 5)))[0][:3] == [5, 4, NO_MOVIE]


@pytest.mark.parametrize("candidates", [MOVIES, 100])
def test_lists_as_long_as_the_catalogue_are_ordered_whole(candidates: int) -> None:
    assert ranking(turned_round, ratings(), candidates, ratings((0, 5))) == [[5, 4, 3, 2, 1, 0]]


def test_scores_of_any_size_keep_what_is_not_in_the_list_below_it() -> None:
    def low(users, movies, retrieved):
        return 1e6 * (retrieved - 1)

    def high(users, movies, retrieved):
        return 1e6 * (retrieved + 1)

    for order in (low, high):
        assert ranking(order, ratings(), 2, ratings((0, 5), (1, 0))) == [
            [0, 1, 2, 3, 4, 5],
            [5, 4, 3, 2, 1, 0],
        ]
