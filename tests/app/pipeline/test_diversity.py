"""Maximal marginal relevance."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from recommender.app.pipeline.diversity import diversify, genre_similarity


def slowly(relevance: NDArray, similarity: NDArray, n: int, diversity: float) -> list[int]:
    """The definition, movie by movie."""
    low, high = relevance.min(), relevance.max()
    scaled = [(value - low) / (high - low) for value in relevance]
    chosen: list[int] = []
    while len(chosen) < min(n, len(relevance)):
        best, best_value = -1, -np.inf
        for one in range(len(relevance)):
            if one in chosen:
                continue
            nearest = max((similarity[one, other] for other in chosen), default=0.0)
            value = (1 - diversity) * scaled[one] - diversity * nearest
            if value > best_value + 1e-12:
                best, best_value = one, value
        chosen.append(best)
    return chosen


@pytest.mark.parametrize("diversity", [0.0, 0.3, 0.7, 0.95])
@pytest.mark.parametrize("seed", range(4))
def test_is_the_definition(seed: int, diversity: float) -> None:
    random = np.random.default_rng(seed)
    relevance = np.sort(random.normal(size=40))[::-1]
    similarity = genre_similarity(random.random((40, 12)) < 0.3)
    expected = slowly(relevance, similarity, 12, diversity)
    assert diversify(relevance, similarity, 12, diversity) == expected


def test_without_diversity_the_order_stays() -> None:
    relevance = np.array([3.0, 2.0, 2.0, 1.0])
    assert diversify(relevance, np.ones((4, 4)), 3, 0.0) == [0, 1, 2]


def test_with_all_diversity_every_genre_comes_before_the_second_of_one() -> None:
    genres = np.repeat(np.eye(3, dtype=bool), 4, axis=0)  # four movies each
    chosen = diversify(np.arange(12.0)[::-1], genre_similarity(genres), 3, 1.0)
    assert chosen[0] == 0
    assert sorted(one // 4 for one in chosen) == [0, 1, 2]


def test_equal_scores_and_short_lists_are_no_problem() -> None:
    assert diversify(np.zeros(2), np.eye(2), 5, 0.5) == [0, 1]
    assert diversify(np.empty(0), np.empty((0, 0)), 5, 0.5) == []


def test_similarity_is_the_share_of_common_genres() -> None:
    genres = np.array([[1, 1, 0], [1, 0, 1], [0, 0, 0]], bool)
    expected = [[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 0]]
    np.testing.assert_allclose(genre_similarity(genres), expected)
