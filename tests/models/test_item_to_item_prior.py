from __future__ import annotations

import numpy as np
import pytest

from recommender.models.item_to_item_prior import ItemToItemPrior, PairTable
from recommender.models.rated_sequence import RatedSequence
from recommender.models.transition_table import PRIOR, transition_lifts

MOVIES = np.array([[3, 1, 4, 0, 0], [2, 0, 0, 0, 0], [0, 0, 0, 0, 0]], np.int32)
PAIRS = np.random.default_rng(0).normal(0.4, 0.5, (6, 6)).astype(np.float32)
SMALLEST = 0.2
PAIRS[0] = PAIRS[:, 0] = 0


def slow_scores(movies: np.ndarray, decay: float, mean: bool) -> np.ndarray:
    """One movie after the other."""
    rated = [movie for movie in movies if movie]
    weights = [decay ** (len(rated) - 1 - place) for place in range(len(rated))]
    total = np.zeros(6)
    for movie, weight in zip(rated, weights, strict=True):
        total += weight * PAIRS[movie]
    said = total / sum(weights) if mean and rated else total
    return np.log(np.maximum(said, 0) + SMALLEST)


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("decay", [1.0, 0.75])
def test_the_newest_movies_say_most_of_what_comes_next(decay: float, mean: bool) -> None:
    prior = ItemToItemPrior(PairTable(PAIRS, decay, mean, SMALLEST))
    scores = prior(RatedSequence(MOVIES, np.ones(MOVIES.shape), np.zeros(MOVIES.shape))).numpy()
    for row, movies in enumerate(MOVIES):
        np.testing.assert_allclose(scores[row], slow_scores(movies, decay, mean), rtol=1e-5, atol=1e-7)


def test_what_was_followed_by_many_says_nothing() -> None:
    movies = np.array([[5, *[2] * 9], [2] * 10], np.int32)
    prior = ItemToItemPrior(PairTable(PAIRS, 0.3, False, SMALLEST))
    both = prior(RatedSequence(movies, np.ones(movies.shape), np.zeros(movies.shape))).numpy()
    np.testing.assert_array_equal(both[0], both[1])  # 0.3 ** 9 < 1e-4
    for row in range(2):
        alone = movies[[row]]
        scores = prior(RatedSequence(alone, np.ones(alone.shape), np.zeros(alone.shape))).numpy()
        np.testing.assert_allclose(scores[0], both[row], rtol=1e-5)


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("row", range(len(MOVIES)))
def test_a_user_alone_gets_the_scores_of_a_batch(row: int, mean: bool) -> None:
    prior = ItemToItemPrior(PairTable(PAIRS, 0.75, mean, SMALLEST))
    alone = MOVIES[[row]]
    scores = prior(RatedSequence(alone, np.ones(alone.shape), np.zeros(alone.shape))).numpy()
    np.testing.assert_allclose(scores, [slow_scores(MOVIES[row], 0.75, mean)], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("both_ways", [False, True])
def test_a_lift_is_how_often_a_movie_is_rated_soon_over_its_share_of_all_ratings(both_ways: bool) -> None:
    random = np.random.default_rng(2)
    users = np.repeat([0, 1, 2], [14, 3, 1])
    movies = random.integers(1, 6, len(users))
    counts = np.zeros((6, 6))
    for user in range(3):
        rated = movies[users == user]
        for place, movie in enumerate(rated):
            for lag, after in enumerate(rated[place + 1 : place + 11], start=1):
                counts[movie, after] += 1 / lag
                counts[after, movie] += both_ways / lag
    share = np.array([(movies == movie).sum() + 0.5 for movie in range(6)])
    expected = counts / (counts.sum(axis=1, keepdims=True) + PRIOR) / (share / share.sum())
    np.testing.assert_allclose(transition_lifts(movies, users, 5, both_ways=both_ways), expected, rtol=1e-5)
    assert not expected[0].any()
    assert not expected[:, 0].any()
