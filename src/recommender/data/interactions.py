"""Ratings as integer arrays: what baselines, models and evaluation work on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

SPLITS = ("train", "validation", "test")
KNOWN_AT_TEST = ("train", "validation")


@dataclass(frozen=True)
class Interactions:
    """Rated (user, movie) pairs in file order; users and movies are codes from 0.

    `user`, `movie`: int32 `(n,)`; `rating`: float32 `(n,)`; `timestamp`: int64 `(n,)`, seconds UTC;
    `split`: int8 `(n,)`, an index into `SPLITS`. `num_users` and `num_movies` count the whole catalogue.
    """

    user: NDArray[np.int32]
    movie: NDArray[np.int32]
    rating: NDArray[np.float32]
    timestamp: NDArray[np.int64]
    split: NDArray[np.int8]
    num_users: int
    num_movies: int

    def __len__(self) -> int:
        return len(self.user)

    def where(self, mask: NDArray[np.bool_]) -> Interactions:
        """The rows that a boolean mask `(n,)` keeps."""
        return Interactions(
            self.user[mask],
            self.movie[mask],
            self.rating[mask],
            self.timestamp[mask],
            self.split[mask],
            self.num_users,
            self.num_movies,
        )

    def part(self, *names: str) -> Interactions:
        """The rows of one split or of several: `part("train", "validation")`."""
        return self.where(np.isin(self.split, [SPLITS.index(name) for name in names]))

    def before(self, name: str) -> Interactions:
        """The rows that a model may know when it answers for split `name`: all earlier splits."""
        return self.where(self.split < SPLITS.index(name))

    def matrix(self, values: NDArray[np.float32] | None = None) -> csr_array:
        """A sparse `(num_users, num_movies)` matrix of `values` (default 1); repeated pairs are summed."""
        values = np.ones(len(self), np.float32) if values is None else values
        return csr_array((values, (self.user, self.movie)), shape=(self.num_users, self.num_movies))
