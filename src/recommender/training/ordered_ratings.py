"""Training ratings as one list, user after user, each in order of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.data.interactions import Interactions


@dataclass(frozen=True)
class OrderedRatings:
    """All ratings sorted by user and second; `(n,)` each, and where each user's begin and end.

    Ratings of one second have no order of their own: `shuffled_ties` gives another of the possible ones.
    """

    user: NDArray[np.int32]
    movie: NDArray[np.int32]  # index = code + 1
    rating: NDArray[np.float32]
    age: NDArray[np.float32]  # seconds up to `moment`
    starts: NDArray[np.int64]  # (num_users + 1,): user u has places starts[u] to starts[u + 1]

    @classmethod
    def of(cls, ratings: Interactions, moment: int) -> OrderedRatings:
        """Sort ratings; file order breaks ties. Ages are counted up to `moment`, seconds UTC."""
        order = np.lexsort((ratings.timestamp, ratings.user))
        counts = np.bincount(ratings.user, minlength=ratings.num_users)
        return cls(
            ratings.user[order],
            ratings.movie[order] + 1,
            ratings.rating[order],
            (moment - ratings.timestamp[order]).astype(np.float32),
            np.concatenate([[0], np.cumsum(counts)]),
        )

    def __len__(self) -> int:
        return len(self.user)

    def shuffled_ties(self, *seed: int) -> NDArray[np.int64]:
        """A permutation that only exchanges ratings of the same user and second."""
        random = np.random.default_rng(seed).random(len(self))
        return np.lexsort((random, -self.age, self.user))
