"""What the ratings that are pushed say of each movie, for pages and for lists that all users share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.data.interactions import Interactions
from recommender.models.baselines.popularity import fit_popularity

TOP_RATERS = 10
NOBODY = -1
ARRAYS = ("counts", "means", "recent_popularity", "top_raters")


@dataclass(frozen=True, eq=False)
class RatedMovies:
    """By movie code: `counts` and `means` (NaN = none) of ratings; `recent_popularity`, the sum over ratings
    of 0.5^(age / half-life), age counted back from `ends_at`, the second of the last rating of all;
    `top_raters` `(num_movies, 10)`, the codes of the users who rated it highest, newest first among equals,
    `NOBODY` where there are fewer.
    """

    counts: NDArray[np.int32]
    means: NDArray[np.float64]
    recent_popularity: NDArray[np.float32]
    top_raters: NDArray[np.int32]
    ends_at: int

    @classmethod
    def of(cls, ratings: Interactions, half_life_days: float) -> RatedMovies:
        """Counted over all these ratings; `ends_at` is 0 where there is none."""
        size = ratings.num_movies
        counts = np.bincount(ratings.movie, minlength=size)
        totals = np.bincount(ratings.movie, ratings.rating.astype(np.float64), size)
        means = totals / np.where(counts, counts, np.nan)
        recent = (
            fit_popularity(ratings, half_life_days).weights if len(ratings) else np.zeros(size, np.float32)
        )
        ends_at = int(ratings.timestamp.max(initial=0))
        return cls(counts.astype(np.int32), means, recent, _top_raters(ratings, counts), ends_at)

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray], ends_at: int) -> RatedMovies:
        """What `arrays` gave, among others."""
        counts, means, recent, raters = (arrays[name] for name in ARRAYS)
        return cls(counts, means, recent, raters, ends_at)

    def arrays(self) -> dict[str, NDArray]:
        """What there is of each movie, by name."""
        return {name: getattr(self, name) for name in ARRAYS}


def _top_raters(ratings: Interactions, counts: NDArray[np.integer]) -> NDArray[np.int32]:
    best_first = np.lexsort((-ratings.timestamp, -ratings.rating, ratings.movie))
    starts = np.cumsum(counts) - counts
    places = starts[:, np.newaxis] + np.arange(TOP_RATERS)
    present = np.arange(TOP_RATERS) < counts[:, np.newaxis]
    users = np.full(present.shape, NOBODY, np.int32)
    users[present] = ratings.user[best_first[places[present]]]
    return users
