"""Ranked lists: accuracy by group, coverage, novelty, diversity, who is shown, and lists for new users."""

from __future__ import annotations

from typing import Any

import numpy as np

from recommender.config import Settings
from recommender.data.prepared import Prepared, Snapshot
from recommender.evaluation.breakdown import ranking_breakdown
from recommender.evaluation.cold_start import rated_movies, with_last_ratings, without_demographics
from recommender.evaluation.exposure import exposure
from recommender.evaluation.groups import groups_by_history, user_groups
from recommender.evaluation.ranking import Scorer, evaluate_ranking
from recommender.evaluation.report import RankingReport
from recommender.models.baselines import fit_top_k_baselines
from recommender.models.retrieval import RetrievalModel
from recommender.scoreboard import TWO_TOWER
from recommender.training.retrieval import RetrievalScorer
from recommender.trust.new_users import ALL, NUMBERS
from recommender.trust.ratings import movies_by_popularity

METRICS = ("ndcg", "hit_rate", "recall", "coverage", "novelty", "diversity")
OF_A_GROUP = "ndcg"
ANONYMOUS = f"{TWO_TOWER}_without_demographics"
MOST_RATED = "popularity"


def measure_lists(settings: Settings, prepared: Prepared, model: RetrievalModel) -> dict[str, Any]:
    """The retrieval model's lists of the shortest length in `evaluation.k`, beside the baselines'.

    `models`: metrics and standard errors; `groups`: NDCG by group of users; `exposure`: by popularity of
    movies; `new_users`: NDCG with few known ratings.
    """
    known = prepared.interactions.before("test")
    scorers: dict[str, Scorer] = {TWO_TOWER: RetrievalScorer(model, prepared.snapshot("test"))}
    half_life = settings.evaluation.half_life_days
    scorers |= fit_top_k_baselines(known, seed=settings.seed, half_life_days=half_life)
    reports = {name: _rank(settings, prepared, scorer) for name, scorer in scorers.items()}
    k, movies = min(settings.evaluation.k), movies_by_popularity(prepared)
    held_out = prepared.interactions.part("test")
    return {
        "k": k,
        "users": len(reports[TWO_TOWER].users),
        "models": {name: _metrics(report, k) for name, report in reports.items()},
        "groups": _groups(prepared, reports, k),
        "exposure": {name: exposure(report, held_out, movies, k) for name, report in reports.items()},
        "new_users": _new_users(settings, prepared, model, scorers[MOST_RATED]),
    }


def _rank(settings: Settings, prepared: Prepared, scorer: Scorer, least: int = 0) -> RankingReport:
    """Lists for users with held-out ratings, or for those of them with at least so many known ones."""
    known, held_out = prepared.interactions.before("test"), prepared.interactions.part("test")
    counts = np.bincount(known.user, minlength=known.num_users)
    asked = held_out.where(counts[held_out.user] >= least)
    return evaluate_ranking(
        scorer, known, asked, [min(settings.evaluation.k)], genres=prepared.genre_matrix()
    )


def _metrics(report: RankingReport, k: int) -> dict[str, Any]:
    names = [f"{name}@{k}" for name in METRICS]
    errors = {name: report.standard_errors[name] for name in names if name in report.standard_errors}
    return {**{name: report.metrics[name] for name in names}, "standard_errors": errors}


def _groups(prepared: Prepared, reports: dict[str, RankingReport], k: int) -> dict[str, Any]:
    """Grouping -> model -> group -> NDCG."""
    known = prepared.interactions.before("test")
    counts = np.bincount(known.user, minlength=known.num_users)
    groupings = {"history": groups_by_history(counts), **user_groups(prepared.users)}
    return {
        grouping: {
            name: ranking_breakdown(report.per_user[f"{OF_A_GROUP}@{k}"], groups.of(report.users))
            for name, report in reports.items()
        }
        for grouping, groups in groupings.items()
    }


def _new_users(
    settings: Settings, prepared: Prepared, model: RetrievalModel, popularity: Scorer
) -> dict[str, Any]:
    """NDCG of users with at least 5 known ratings of which the model sees the last 0, 1, 3, 5 or all.

    Who they are is hidden, too: without id, and once without demographics. What they have seen is left out of
    the lists all the same.
    """
    known, snapshot = prepared.interactions.before("test"), prepared.snapshot("test")
    counts = np.bincount(known.user, minlength=known.num_users)
    report: dict[str, Any] = {"users": 0}
    if not (counts[prepared.interactions.part("test").user] >= max(NUMBERS)).any():
        return report
    movies = rated_movies(prepared.genre_matrix(), prepared.movies)
    hidden = {**snapshot.users, "user_id": np.zeros_like(snapshot.users["user_id"])}
    shown = {str(n): with_last_ratings(hidden, n, movies, prepared.schema) for n in NUMBERS} | {ALL: hidden}
    found: dict[str, dict[str, Any]] = {}
    for number, users in shown.items():
        scorers: dict[str, Scorer] = {MOST_RATED: popularity}
        for name, columns in ((TWO_TOWER, users), (ANONYMOUS, without_demographics(users))):
            scorers[name] = RetrievalScorer(model, Snapshot(columns, snapshot.movies, snapshot.timestamp))
        reports = {name: _rank(settings, prepared, scorer, max(NUMBERS)) for name, scorer in scorers.items()}
        found[number] = {name: _metrics(each, min(settings.evaluation.k)) for name, each in reports.items()}
        report["users"] = len(reports[TWO_TOWER].users)
    return report | {"known": found}
