"""The sampled protocol: each held-out rating is ranked against a few movies that its user never rated.

Kept for comparison with papers that report it. It flatters every model and can order two models differently
than a full ranking does (Krichene and Rendle, "On Sampled Metrics for Item Recommendation", KDD 2020), so the
number of negatives is always in the name: `hit_rate@10/99neg`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array


def draw_negatives(
    rated: csr_array, rows: NDArray[np.integer], number: int, rng: np.random.Generator
) -> NDArray[np.int32]:
    """For each of `rows`, draw `number` different movies uniformly from those without an entry in that row.

    `rated`: `(num_rows, num_movies)`, its indices are sorted in place; `rows`: `(n,)`, may repeat; each must
    leave at least `number` movies free. Result int32 `(n, number)`, in no particular order.
    """
    counts, num_movies = np.diff(rated.indptr), rated.shape[1]
    free = _draw_different((num_movies - counts)[rows], number, rng)
    # A draw is "the i-th free movie". Entry j of a row (ascending) has (its movie - j) free movies before it;
    # each entry that has at most i of them before it moves the i-th free movie up by one.
    rated.sort_indices()
    position = np.arange(len(rated.indices)) - np.repeat(rated.indptr[:-1], counts)
    stride = num_movies + 1
    before = np.repeat(np.arange(len(counts)), counts) * stride + (rated.indices - position)
    wanted = rows.astype(np.int64)[:, None] * stride + free
    shift = np.searchsorted(before, wanted, side="right") - rated.indptr[rows, None]
    return (free + shift).astype(np.int32)


def rank_among(
    score: NDArray[np.floating],
    movie: NDArray[np.integer],
    negative_scores: NDArray[np.floating],
    negatives: NDArray[np.integer],
) -> NDArray[np.int64]:
    """The rank from 1 of each held-out movie among its negatives; of equal scores the lower code is first.

    `score`, `movie`: `(rows,)`; `negative_scores`, `negatives`: `(rows, number)`.
    """
    higher = negative_scores > score[:, None]
    tied = (negative_scores == score[:, None]) & (negatives < movie[:, None])
    return 1 + np.count_nonzero(higher | tied, axis=1)


def sampled_hit_rate_at_k(rank: NDArray[np.integer], k: int) -> NDArray[np.float64]:
    """1 where the held-out movie is among the first k of itself and its negatives, else 0; `(rows,)`."""
    return (rank <= k).astype(np.float64)


def sampled_ndcg_at_k(rank: NDArray[np.integer], k: int) -> NDArray[np.float64]:
    """1 / log2(rank + 1) where the held-out movie is among the first k, else 0; `(rows,)`."""
    return np.where(rank <= k, 1 / np.log2(rank + 1), 0.0)


def _draw_different(sizes: NDArray[np.integer], number: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """For each size, `number` different integers from 0 to size - 1 (Floyd's algorithm, all rows at once)."""
    drawn = np.empty((len(sizes), number), np.int64)
    for step in range(number):
        last = sizes - number + step
        candidate = rng.integers(0, last + 1)
        taken = (drawn[:, :step] == candidate[:, None]).any(axis=1)
        drawn[:, step] = np.where(taken, last, candidate)
    return drawn
