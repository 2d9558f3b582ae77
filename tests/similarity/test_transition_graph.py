"""Walks go along edges only, each with a probability in proportion to its weight."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import chisquare

from recommender.similarity.liked_sequences import LikedSequences
from recommender.similarity.transition_graph import ENDED, TransitionGraph

WEIGHTS = np.array(
    [
        [0, 5, 0, 1, 0],
        [5, 0, 2, 7, 0],
        [0, 2, 0, 90, 0],
        [1, 7, 90, 0, 0],
        [0, 0, 0, 0, 0],
    ]
)


@pytest.fixture
def graph() -> TransitionGraph:
    return TransitionGraph(csr_array(WEIGHTS.astype(np.int64)))


def test_weights_count_consecutive_likes_both_ways(make_ratings) -> None:
    rows = [(user, movie, 5.0, second) for user in (0, 1) for second, movie in enumerate([2, 0, 1])]
    rows += [(2, 1, 5.0, 1), (2, 0, 5.0, 2), (2, 3, 1.0, 3)]
    graph = TransitionGraph.of(LikedSequences.of(make_ratings(rows, 3, 5), 4.0), 5)
    expected = np.zeros((5, 5), np.int64)
    expected[0, 2] = expected[2, 0] = 2
    expected[0, 1] = expected[1, 0] = 3
    np.testing.assert_array_equal(graph.weights.toarray(), expected)


def test_walks_go_along_edges_and_have_the_length_asked_for(graph) -> None:
    starts = np.tile(np.arange(4), 500)
    walks = graph.walks(starts, 12, seed=1)
    assert walks.shape == (2_000, 12)
    np.testing.assert_array_equal(walks[:, 0], starts)
    assert (WEIGHTS[walks[:, :-1], walks[:, 1:]] > 0).all()


@pytest.mark.parametrize("step", [1, 7])
def test_steps_are_taken_in_proportion_to_weights(graph, step: int) -> None:
    walks = graph.walks(np.tile(np.arange(4), 20_000), step + 1, seed=2)
    for movie in range(4):
        taken = np.bincount(walks[walks[:, step - 1] == movie, step], minlength=5)
        edges = WEIGHTS[movie] > 0
        expected = taken.sum() * WEIGHTS[movie][edges] / WEIGHTS[movie].sum()
        assert chisquare(taken[edges], expected).pvalue > 1e-4
        assert taken[~edges].sum() == 0


def test_a_movie_without_edges_is_a_walk_of_one(graph) -> None:
    assert graph.walks(np.array([4, 0]), 3, seed=3)[0].tolist() == [4, ENDED, ENDED]


def test_one_seed_gives_the_same_walks_and_another_one_others(graph) -> None:
    starts = np.tile(np.arange(4), 50)
    first = graph.walks(starts, 10, seed=5)
    np.testing.assert_array_equal(graph.walks(starts, 10, seed=5), first)
    assert not np.array_equal(graph.walks(starts, 10, seed=6), first)
