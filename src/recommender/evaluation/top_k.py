"""The k best of a row of scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.metrics.beyond_accuracy import NO_MOVIE


def top_k_movies(scores: NDArray[np.float32], k: int) -> NDArray[np.int32]:
    """Movie codes of the k highest scores in each row, best first; of equal scores the lower code is first.

    `scores`: float32 `(rows, num_movies)`, no NaN; -inf means "not a candidate". Result int32 `(rows, k)`,
    filled up with `NO_MOVIE` where a row has fewer than k candidates. Takes 12 bytes a score while it works.
    """
    rows, num_movies = scores.shape
    keys = _ordered(scores + np.float32(0)).astype(np.uint64) << 32  # adding 0 turns -0.0 into 0.0
    keys |= np.arange(num_movies - 1, -1, -1, dtype=np.uint64)  # the lower code is the higher key
    kept = min(k, num_movies)
    keys.partition(num_movies - kept, axis=1)
    best = np.sort(keys[:, num_movies - kept :], axis=1)[:, ::-1]
    top = np.full((rows, k), NO_MOVIE, np.int32)
    codes = (num_movies - 1 - (best & 0xFFFFFFFF).astype(np.int64)).astype(np.int32)
    candidate = np.take_along_axis(scores, codes, axis=1) > -np.inf
    top[:, :kept] = np.where(candidate, codes, NO_MOVIE)
    return top


def _ordered(scores: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Unsigned integers in the order of the floats: flips all bits of negative ones, the sign of the rest."""
    bits = scores.view(np.uint32)
    bits ^= np.where(bits >> 31, np.uint32(0xFFFFFFFF), np.uint32(0x80000000))
    return bits
