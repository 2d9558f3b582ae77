from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from recommender.models.embedding import History
from recommender.models.factor_table import FactoredMovies
from recommender.models.rating_precision import RatingPrecision


def movies(factors: np.ndarray, content: np.ndarray, uncertainty: float | np.ndarray) -> FactoredMovies:
    shape = factors.shape[:-1]
    variance = np.broadcast_to(np.float32(uncertainty), shape)
    zeros = np.zeros(shape, np.float32)
    return FactoredMovies(*map(tf.constant, (zeros, factors, variance, zeros, zeros, content)))


def precision(
    factors: list[list[float]],
    content: list[list[float]] | None = None,
    ages: list[float] | None = None,
    mask: list[float] | None = None,
    uncertainty: float | np.ndarray = 0.0,
) -> np.ndarray:
    """Of one user's ratings of movies with these factors, for a candidate with factors (1, 0)."""
    n = len(factors)
    rated = np.float32([factors])
    described = np.zeros((1, n, 1), np.float32) if content is None else np.float32([content])
    nothing = tf.zeros([1, n])
    history = History(
        movies=nothing,
        ratings=nothing,
        deviations=nothing,
        ages=nothing if ages is None else tf.constant([ages]),
        mask=tf.ones([1, n]) if mask is None else tf.constant([mask]),
    )
    candidate = movies(np.float32([[1, 0]]), np.float32([[1]]), 0.0)
    found = RatingPrecision()(nothing, movies(rated, described, uncertainty), candidate, history)
    return found.numpy()[0]


def test_ratings_of_movies_like_the_candidate_say_more() -> None:
    found = precision([[2, 0], [0, 2], [-2, 0]])
    assert found[0] > found[1] > found[2] > 0
    same_genre, other = precision([[0, 1], [0, 1]], content=[[1], [-1]])
    assert same_genre > other > 0


def test_old_ratings_and_those_far_back_say_less() -> None:
    now, later = precision([[1, 0]], ages=[0.0]), precision([[1, 0]], ages=[5.0])
    assert now > later
    last, one_before = precision([[1, 0], [1, 0]])
    assert last > one_before


def test_movies_of_which_little_is_known_say_less() -> None:
    known, unknown = precision([[1, 0], [1, 0]], uncertainty=np.array([[0.0, 0.5]]))
    assert known > 1.3 * unknown


def test_padding_says_nothing() -> None:
    found = precision([[1, 0], [0, 0]], mask=[1.0, 0.0])
    assert found[1] == 0
    assert found[0] == pytest.approx(precision([[1, 0]])[0])
