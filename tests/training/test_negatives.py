from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from recommender.errors import DataError
from recommender.training.negatives import draw_unseen

RATED = np.array([[1, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 0, 1]])
POPULARITY = np.array([7, 5, 0, 1, 3, 4])


def draw(popularity: np.ndarray | None, times: int = 1, number: int = 2, seed: int = 0) -> np.ndarray:
    users = np.repeat([2, 0, 1], times)
    rng = np.random.default_rng(seed)
    return draw_unseen(csr_array(RATED), users, number, rng, popularity).reshape(3, -1)


@pytest.mark.parametrize("popularity", [None, POPULARITY], ids=["uniform", "popularity"])
def test_movies_are_drawn_among_the_unrated_in_proportion(popularity: np.ndarray | None) -> None:
    weights = np.ones(6) if popularity is None else popularity
    for user, drawn in zip([2, 0, 1], draw(popularity, times=20_000), strict=True):
        expected = weights * (1 - RATED[user])
        shares = np.bincount(drawn, minlength=6) / len(drawn)
        np.testing.assert_allclose(shares, expected / expected.sum(), atol=0.01)
        assert not shares[expected == 0].any()


def test_without_popularity_a_draw_holds_different_movies() -> None:
    assert all(first != second for first, second in draw(None, times=200).reshape(-1, 2))


@pytest.mark.parametrize("popularity", [None, POPULARITY], ids=["uniform", "popularity"])
def test_one_seed_draws_the_same_and_another_others(popularity: np.ndarray | None) -> None:
    np.testing.assert_array_equal(draw(popularity, 50), draw(popularity, 50))
    assert not np.array_equal(draw(popularity, 50), draw(popularity, 50, seed=1))


def test_popularity_draws_are_those_of_a_list_with_every_rating_in_it() -> None:
    """The slow way: write each movie down as often as it was rated, strike out the user's own, pick."""
    rng = np.random.default_rng(0)
    rated = csr_array(rng.random((40, 30)) < 0.4)
    popularity = rng.integers(0, 9, 30)
    users = rng.integers(0, 40, 500)
    found = draw_unseen(rated, users, 3, np.random.default_rng(5), popularity)
    lists = [np.repeat(np.arange(30), popularity * (1 - rated[[user]].toarray()[0])) for user in users]
    picks = np.random.default_rng(5).integers(0, np.array([[len(movies)] for movies in lists]), (500, 3))
    np.testing.assert_array_equal(found, [movies[pick] for movies, pick in zip(lists, picks, strict=True)])


def test_a_user_who_has_rated_almost_everything_is_named() -> None:
    with pytest.raises(DataError, match=r"ranking\.negatives: there must be 3 movies .* user code 2 has"):
        draw(None, number=3)
    nobody_rated_the_rest = POPULARITY * RATED[2]
    with pytest.raises(DataError, match="user code 2 has rated too many"):
        draw(nobody_rated_the_rest)
