"""What an evaluation found, ready for tables and for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.history import HISTORY_GROUPS, history_group
from recommender.metrics.top_k import standard_error

PerUser = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class RankingReport:
    """Metrics of one scorer on one split.

    `users`: int32 `(n,)`, the users with relevant held-out ratings, ascending; `ratings`: how many of those
    ratings there are; `top`: int32 `(n, max k)`, the lists, see `top_k_movies`. `metrics` maps names such as
    `ndcg@10` to values; those that are means over users have their values in `per_user`, float64 `(n,)`, and
    the standard error of the mean in `standard_errors`. `by_history` splits users by their known ratings.
    """

    users: NDArray[np.int32]
    ratings: int
    top: NDArray[np.int32]
    metrics: dict[str, float]
    per_user: PerUser
    standard_errors: dict[str, float]
    by_history: dict[str, dict[str, float]]

    def as_dict(self) -> dict[str, Any]:
        """The report without its arrays: counts and metrics flat, then `standard_errors` and `by_history`."""
        return {
            "users": len(self.users),
            "ratings": self.ratings,
            **self.metrics,
            "standard_errors": self.standard_errors,
            "by_history": self.by_history,
        }


def means(per_user: PerUser) -> dict[str, float]:
    """The mean of each metric over the users for whom it is defined; NaN where there is none."""
    return {name: _mean(values[~np.isnan(values)]) for name, values in per_user.items()}


def standard_errors(per_user: PerUser) -> dict[str, float]:
    """The standard error of each of the `means`."""
    return {name: standard_error(values) for name, values in per_user.items()}


def means_by_history(per_user: PerUser, history_counts: NDArray[np.integer]) -> dict[str, dict[str, float]]:
    """The `means` within each group of users by their number of known ratings, and its number of users."""
    group = history_group(history_counts)
    return {
        name: {
            "users": int(np.count_nonzero(group == index)),
            **means({metric: values[group == index] for metric, values in per_user.items()}),
        }
        for index, name in enumerate(HISTORY_GROUPS)
    }


def to_json(value: Any) -> Any:
    """The same tree in values that JSON has: NaN and infinities become None, which is written `null`."""
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [to_json(item) for item in value]
    if isinstance(value, np.generic):
        return to_json(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")
