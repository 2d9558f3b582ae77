import numpy as np
import pytest

from recommender.data.interactions import Interactions
from recommender.evaluation.ranking import evaluate_ranking

USERS, MOVIES = 60, 140


class Table:
    """A scorer that looks its scores up and notes for how many users it was asked each time."""

    def __init__(self, values):
        self.values, self.calls = values, []

    def scores(self, users):
        self.calls.append(len(users))
        return self.values[users]


@pytest.fixture
def table():
    """Makes a scorer of a `(users, movies)` array."""
    return Table


@pytest.fixture
def data():
    """Random ratings, training and test: users know from 0 to 120 movies, and some have nothing held out."""
    rng = np.random.default_rng(0)
    known = rng.integers(0, 121, USERS) * (rng.random(USERS) < 0.8)
    held_out = rng.integers(0, 15, USERS)
    user = np.repeat(np.arange(USERS), known + held_out)
    movie = np.concatenate([rng.permutation(MOVIES)[:n] for n in known + held_out])
    split = np.concatenate([np.repeat([0, 2], pair) for pair in zip(known, held_out, strict=True)])
    rating = rng.integers(1, 6, len(user)).astype(np.float32)
    columns = user.astype(np.int32), movie.astype(np.int32), rating, np.zeros(len(user), np.int64)
    return Interactions(*columns, split.astype(np.int8), USERS, MOVIES)


@pytest.fixture
def values():
    """Random scores of all movies for all users, rounded so that there are ties."""
    return np.random.default_rng(0).normal(size=(USERS, MOVIES)).round(1).astype(np.float32)


@pytest.fixture
def evaluate():
    """Evaluates a `(users, movies)` array of scores on the test split."""

    def evaluate(values, data, ks=(3, 10), **options):
        return evaluate_ranking(Table(values), data.part("train"), data.part("test"), ks, **options)

    return evaluate
