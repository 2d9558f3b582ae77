"""Metrics of a full ranking, cut at k: one value per user.

All take the same input. `hits`: bool `(users, n)` with n >= k, in rank order: whether the movie at that place
is relevant. `relevant`: int `(users,)`, how many movies are relevant to the user, at least 1. The result is
float64 `(users,)`; its mean is the metric (macro average: every user counts the same), its `standard_error`
the error bar. Only `accuracy_at_k` is a single number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Hits = NDArray[np.bool_]
Counts = NDArray[np.integer]
PerUser = NDArray[np.float64]


def recall_at_k(hits: Hits, relevant: Counts, k: int) -> PerUser:
    """Hits in the top k / number of relevant movies.

    Divides by all relevant movies, not by min(k, relevant): with more than k of them, 1 is out of reach.
    """
    return hits[:, :k].sum(axis=1) / relevant


def precision_at_k(hits: Hits, relevant: Counts, k: int) -> PerUser:
    """Hits in the top k / k, also where fewer than k movies could be recommended."""
    return hits[:, :k].sum(axis=1) / k


def ndcg_at_k(hits: Hits, relevant: Counts, k: int) -> PerUser:
    """DCG / ideal DCG, where DCG = sum over hits in the top k of 1 / log2(rank + 1).

    The ideal list starts with min(k, relevant) hits, so 1 is always reachable. Gains are binary.
    """
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discount)[np.minimum(relevant, k) - 1]
    return (hits[:, :k] * discount).sum(axis=1) / ideal


def hit_rate_at_k(hits: Hits, relevant: Counts, k: int) -> PerUser:
    """1 if at least one of the top k is relevant, else 0."""
    return np.asarray(hits[:, :k].any(axis=1), np.float64)


def mrr_at_k(hits: Hits, relevant: Counts, k: int) -> PerUser:
    """1 / rank of the first hit; 0 if the top k has none."""
    first = hits[:, :k].argmax(axis=1) + 1
    return np.where(hits[:, :k].any(axis=1), 1 / first, 0.0)


def map_at_k(hits: Hits, relevant: Counts, k: int) -> PerUser:
    """Average precision: sum over hits in the top k of precision@rank / min(k, relevant)."""
    top = hits[:, :k]
    precision = np.cumsum(top, axis=1) / np.arange(1, k + 1)
    return (precision * top).sum(axis=1) / np.minimum(relevant, k)


PER_USER_METRICS: Mapping[str, Callable[[Hits, Counts, int], PerUser]] = {
    "recall": recall_at_k,
    "precision": precision_at_k,
    "ndcg": ndcg_at_k,
    "hit_rate": hit_rate_at_k,
    "mrr": mrr_at_k,
    "map": map_at_k,
}


def accuracy_at_k(hits: Hits, relevant: Counts, k: int) -> float:
    """The share of all held-out ratings whose movie is in its user's top k (micro average); NaN for no users.

    TFRS calls it top-k categorical accuracy. The user's other held-out movies stay in the ranking, so with
    more than k of them 1 is out of reach. Users with many held-out ratings weigh more than in `recall_at_k`.
    """
    return float(hits[:, :k].sum() / relevant.sum()) if len(relevant) else float("nan")


def standard_error(per_user: PerUser) -> float:
    """Standard deviation (n - 1) / sqrt(n) over users, leaving out NaN; NaN for fewer than two users."""
    values = per_user[~np.isnan(per_user)]
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
