"""Ratings with a structure that similar movies must show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rated_rows import Rows, interactions_of
from recommender.data.interactions import Interactions


@pytest.fixture(scope="session")
def make_ratings() -> Callable[[Rows, int, int], Interactions]:
    return interactions_of


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
    return interactions_of(rows, 201, 22)
