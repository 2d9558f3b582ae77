"""Sums over ratings: what means, standard deviations and mean deviations come from, exactly."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PRIOR_RATINGS = 5  # early means are shrunk as if so many ratings stood before them; see features.sql
SUMS = np.dtype([("number", "<i8"), ("total", "<f8"), ("squares", "<f8"), ("deviations", "<f8")])


class RatingSums(NamedTuple):
    """Number, sum and sum of squares of ratings, and the sum of their deviations.

    Number, sum and squares are exact where ratings are multiples of one half, whatever comes and goes.
    """

    number: int = 0
    total: float = 0.0
    squares: float = 0.0
    deviations: float = 0.0

    @classmethod
    def of(cls, ratings: NDArray, deviations: NDArray) -> RatingSums:
        """The sums over float32 `ratings` and float64 `deviations`, both `(n,)`."""
        wide = ratings.astype(np.float64)
        return cls(len(wide), float(wide.sum()), float(wide @ wide), float(deviations.sum()))

    def plus(self, other: RatingSums) -> RatingSums:
        """The sums over the ratings of both."""
        return RatingSums(
            self.number + other.number,
            self.total + other.total,
            self.squares + other.squares,
            self.deviations + other.deviations,
        )

    @property
    def mean(self) -> float:
        """NaN for no rating."""
        return self.total / self.number if self.number else math.nan

    @property
    def stddev(self) -> float:
        """Of the population; NaN for no rating."""
        return stddev(self.number, self.total, self.squares)

    @property
    def deviation(self) -> float:
        """The mean deviation; NaN for no rating."""
        return self.deviations / self.number if self.number else math.nan


def stddev(number: float, total: float, squares: float) -> float:
    """Standard deviation of a population from its number, sum and sum of squares; NaN for none."""
    return math.sqrt(max(number * squares - total * total, 0.0)) / number if number else math.nan


NOTHING = RatingSums()
