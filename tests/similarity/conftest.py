"""Ratings with a structure that similar movies must show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from recommender.data.interactions import Interactions

Rows = list[tuple[int, int, float, int]]  # user, movie, rating, second


def interactions(rows: Rows, num_users: int, num_movies: int) -> Interactions:
    user, movie, rating, second = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Interactions(
        np.array(user, np.int32),
        np.array(movie, np.int32),
        np.array(rating, np.float32),
        np.array(second, np.int64),
        np.zeros(len(rows), np.int8),
        num_users,
        num_movies,
    )


@pytest.fixture(scope="session")
def make_ratings() -> Callable[[Rows, int, int], Interactions]:
    return interactions


@pytest.fixture(scope="session")
def two_tastes() -> Interactions:
    """200 users like movies 0-9 or movies 10-19, in any order, and dislike one of the others in between.

    Nobody has rated movie 20; one user has liked movie 21 alone.
    """
    random = np.random.default_rng(4)
    rows: Rows = []
    for user in range(200):
        side = user % 2
        liked = 10 * side + random.permutation(10)[:8]
        rows += [(user, int(movie), 5.0, 10 * place) for place, movie in enumerate(liked)]
        rows.append((user, int(10 * (1 - side) + random.integers(10)), 1.0, 35))
    rows.append((200, 21, 5.0, 1))
    return interactions(rows, 201, 22)
