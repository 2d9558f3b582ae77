"""What lists do with popular and with rare movies: who is shown, and who is found."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.data.interactions import Interactions
from recommender.evaluation.groups import Groups
from recommender.evaluation.report import RankingReport
from recommender.metrics.beyond_accuracy import NO_MOVIE


def exposure(
    report: RankingReport, held_out: Interactions, movies: Groups, k: int
) -> dict[str, dict[str, float]]:
    """For each group of movies: how much of the catalogue, of the lists and of what is to be found it is.

    `movies`: the group's movies; `catalogue`, `held_out`, `shown`: the group's share of all movies, of the
    held-out ratings and of the places in the top k of all users; `accuracy`: the share of the group's
    held-out ratings whose movie is in its user's top k (see `accuracy_at_k`), NaN where none is held out.
    """
    top = report.top[:, :k]
    listed = top[top != NO_MOVIE]
    found = _found(report, held_out, k)
    lines = {}
    for name, members in movies.present():
        of_group = members[held_out.movie]
        lines[name] = {
            "movies": int(np.count_nonzero(members)),
            "catalogue": float(members.mean()),
            "held_out": float(of_group.mean()),
            "shown": float(members[listed].mean()) if len(listed) else float("nan"),
            "accuracy": float(found[of_group].mean()) if of_group.any() else float("nan"),
        }
    return lines


def _found(report: RankingReport, held_out: Interactions, k: int) -> NDArray[np.bool_]:
    """Whether each held-out rating's movie is in its user's top k."""
    row = np.searchsorted(report.users, held_out.user)
    return (report.top[row, :k] == held_out.movie[:, np.newaxis]).any(axis=1)
