"""What each user liked, in the order of time: the sentences that item embeddings are learned from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.data.interactions import Interactions


@dataclass(frozen=True, eq=False)
class LikedSequences:
    """The liked movies of all users, one user after another: codes `movies` `(n,)`, each user's up to `ends`.

    Users who liked nothing are left out. Iterating gives the movies of each user.
    """

    movies: NDArray[np.int32]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, ratings: Interactions, liked_threshold: float) -> LikedSequences:
        """Ratings from the threshold on, by user and time; those of one second in the order of the file."""
        liked = ratings.where(ratings.rating >= np.float32(liked_threshold))
        order = np.lexsort((liked.timestamp, liked.user))
        counts = np.bincount(liked.user, minlength=1)
        return cls(liked.movie[order], np.cumsum(counts[counts > 0]))

    def __iter__(self) -> Iterator[NDArray[np.int32]]:
        start = 0
        for end in self.ends.tolist():
            yield self.movies[start:end]
            start = end

    def consecutive(self) -> NDArray[np.int32]:
        """Pairs of movies that a user liked one right after the other, `(pairs, 2)`, one for each time."""
        pairs = np.stack([self.movies[:-1], self.movies[1:]], axis=1)
        same_user = np.ones(len(pairs), bool)
        same_user[self.ends[:-1] - 1] = False
        return pairs[same_user & (pairs[:, 0] != pairs[:, 1])]
