"""The same list for everybody: what is rated most, or most lately."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.data.interactions import Interactions
from recommender.errors import DataError

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class Popularity:
    """Scores a movie by its number of ratings, recent ones counting more if so fitted."""

    weights: NDArray[np.float32]  # (num_movies,)

    def scores(self, users: NDArray[np.int32]) -> NDArray[np.float32]:
        """Scores `(len(users), num_movies)`, the same row for every user."""
        return np.tile(self.weights, (len(users), 1))


def fit_popularity(known: Interactions, half_life_days: float | None = None) -> Popularity:
    """Count the ratings of each movie; with a half-life a rating counts 0.5^(age / half-life).

    Age is counted back from the last rating that is known, so the list is the one of that moment; it does not
    move on while the held-out ratings happen. Raises `DataError` without ratings.
    """
    if not len(known):
        raise DataError("popularity needs at least one known rating, received 0")
    weights = np.ones(len(known))
    if half_life_days is not None:
        age = (known.timestamp.max() - known.timestamp) / SECONDS_PER_DAY
        weights = 0.5 ** (age / half_life_days)
    return Popularity(np.bincount(known.movie, weights, known.num_movies).astype(np.float32))
