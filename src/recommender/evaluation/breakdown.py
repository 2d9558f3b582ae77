"""Models within groups: their errors, how far apart groups are, and what chance alone would make of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.clustered import ClusteredEstimate, clustered_mean
from recommender.evaluation.groups import Groups

LEVEL = 0.95
FEWEST_USERS = 10  # a group of fewer has no intervals: Student's t does not hold for so few and so skewed

Values = NDArray[np.floating]


def rating_breakdown(
    predicted: Values, rating: Values, user: NDArray[np.integer], groups: Groups, rival: Values
) -> dict[str, dict[str, Any]]:
    """What a model's predictions `(n,)` are worth in each group of rows, and beside a rival's.

    Per group: `ratings`, `users`, `rmse`, `bias` (mean of predicted - given), `gap` (RMSE less that of the
    rows in all other groups) and `gain` (the rival's RMSE less the model's), all but the counts with 95 %
    confidence intervals clustered by user. `differs` says whether the gap is beyond chance also when as many
    gaps are looked at as there are groups (Bonferroni); None where it has no interval.
    """
    present = groups.present()
    grouped = np.any([mask for _, mask in present], axis=0) if present else np.zeros(len(user), bool)
    error, rivals = predicted.astype(np.float64) - rating, rival.astype(np.float64) - rating

    def rmse(error: Values, rows: NDArray[np.bool_]) -> ClusteredEstimate:
        return clustered_mean(error[rows] ** 2, user[rows], num_users).root()

    num_users = int(user.max()) + 1
    found = {}
    for name, rows in present:
        ours, others = rmse(error, rows), rmse(error, grouped & ~rows)
        found[name] = {
            "ratings": int(np.count_nonzero(rows)),
            "users": len(np.unique(user[rows])),
            **_with_interval("rmse", ours),
            **_with_interval("bias", clustered_mean(error[rows], user[rows], num_users)),
            **_gap(ours - others, len(present)),
            **_with_interval("gain", rmse(rivals, rows) - ours),
        }
    return {name: _without_few(content) for name, content in found.items()}


def ranking_breakdown(per_user: Values, groups: Groups) -> dict[str, dict[str, Any]]:
    """A metric of users `(n,)` in each of their groups: `users`, `mean` and `gap`, as in `rating_breakdown`.

    Users for whom the metric is not defined (NaN) do not count.
    """
    defined = ~np.isnan(per_user)
    present = [(name, mask & defined) for name, mask in groups.present() if (mask & defined).any()]
    grouped = np.any([mask for _, mask in present], axis=0) if present else defined
    people = np.arange(len(per_user))

    def mean(rows: NDArray[np.bool_]) -> ClusteredEstimate:
        return clustered_mean(per_user[rows], people[rows], len(people))

    found = {
        name: {
            "users": int(np.count_nonzero(rows)),
            **_with_interval("mean", mean(rows)),
            **_gap(mean(rows) - mean(grouped & ~rows), len(present)),
        }
        for name, rows in present
    }
    return {name: _without_few(content) for name, content in found.items()}


def _with_interval(name: str, estimate: ClusteredEstimate) -> dict[str, Any]:
    return {name: estimate.value, f"{name}_interval": estimate.interval(LEVEL)}


def _gap(gap: ClusteredEstimate, gaps: int) -> dict[str, Any]:
    low, high = gap.interval(1 - (1 - LEVEL) / gaps)
    differs = None if np.isnan(low) else not low <= 0 <= high
    return {**_with_interval("gap", gap), "differs": differs}


def _without_few(content: dict[str, Any]) -> dict[str, Any]:
    """The same without intervals where a group has too few users for them."""
    if content["users"] >= FEWEST_USERS:
        return content
    intervals = [name for name in content if name.endswith("_interval")]
    return content | {"differs": None} | dict.fromkeys(intervals, (float("nan"), float("nan")))
