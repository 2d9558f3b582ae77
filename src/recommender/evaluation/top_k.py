"""The k best of a row of scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.metrics.beyond_accuracy import NO_MOVIE

# 1 MiB of scores: the passes over them stay within a core's cache.
SCORES_AT_ONCE = 2**18


def top_k_movies(scores: NDArray[np.float32], k: int) -> NDArray[np.int32]:
    """Movie codes of the k highest scores in each row, best first; of equal scores the lower code is first.

    `scores`: float32 `(rows, num_movies)`, no NaN; -inf means "not a candidate". Result int32 `(rows, k)`,
    filled up with `NO_MOVIE` where a row has fewer than k candidates.
    """
    rows, num_movies = scores.shape
    top = np.full((rows, k), NO_MOVIE, np.int32)
    step = max(1, SCORES_AT_ONCE // max(num_movies, 1))
    for start in range(0, rows, step):
        part = slice(start, start + step)
        found = _best(scores[part], min(k, num_movies))
        top[part, : found.shape[1]] = found
    return top


def _best(scores: NDArray[np.float32], k: int) -> NDArray[np.int32]:
    """`(rows, at most k)`; k is not above the number of movies."""
    num_movies = scores.shape[1]
    lowest = np.partition(scores, num_movies - k, axis=1)[:, num_movies - k, np.newaxis]
    row, code = np.nonzero((scores >= lowest) & (scores > -np.inf))  # k of a row, and what equals the last
    counts = np.bincount(row, minlength=len(scores))
    place = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    keys = np.zeros((len(scores), max(counts, default=0)), np.uint64)  # 0 is below every score's key
    keys[row, place] = _ordered(scores[row, code] + np.float32(0)).astype(np.uint64) << 32  # -0.0 becomes 0.0
    keys[row, place] |= (num_movies - 1 - code).astype(np.uint64)  # the lower code is the higher key
    keys = np.sort(keys, axis=1)[:, ::-1][:, :k]
    return np.where(keys > 0, num_movies - 1 - (keys & 0xFFFFFFFF).astype(np.int64), NO_MOVIE).astype(
        np.int32
    )


def _ordered(scores: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Unsigned integers in the order of the floats: flips all bits of negative ones, the sign of the rest."""
    bits = scores.view(np.uint32)
    bits ^= np.where(bits >> 31, np.uint32(0xFFFFFFFF), np.uint32(0x80000000))
    return bits
