"""Small tables of ratings, written as rows."""

from __future__ import annotations

import numpy as np

from recommender.data.interactions import Interactions

Rows = list[tuple[int, int, float, int]]  # user, movie, rating, second


def interactions_of(rows: Rows, num_users: int, num_movies: int) -> Interactions:
    """All of the training split."""
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
