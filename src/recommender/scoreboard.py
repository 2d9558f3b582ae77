"""The models beside the baselines, on validation and on test: what `metrics.json` holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from recommender.config import Settings
from recommender.data.prepared import Prepared
from recommender.evaluation.calibration import fit_like_calibration
from recommender.evaluation.ranking import Scorer, evaluate_ranking
from recommender.evaluation.rating import evaluate_like, evaluate_rating
from recommender.evaluation.report import to_json
from recommender.models.baselines import fit_rating_baselines, fit_top_k_baselines
from recommender.models.baselines.running_bias import RunningStatistics, fit_running_bias
from recommender.models.ranking import RankingModel
from recommender.models.retrieval import RetrievalModel
from recommender.training import Trained
from recommender.training.final_order import two_stages
from recommender.training.ranking import predict, ranking_rows
from recommender.training.retrieval import RetrievalScorer

HELD_OUT = ("validation", "test")
DEEP_RANKING = "deep_ranking"
TWO_TOWER = "two_tower_retrieval"
TWO_STAGE = "two_stage"

Metrics = dict[str, dict[str, dict[str, Any]]]  # model -> split -> metric -> value
Predictions = dict[str, NDArray[np.float32]]  # split -> (n,)


class RatingPredictor(Protocol):
    """A rating baseline that knows users and movies by their codes."""

    def predict(self, user: NDArray[np.int32], movie: NDArray[np.int32]) -> NDArray[np.float32]:
        """Expected ratings `(n,)`."""


def evaluate(settings: Settings, prepared: Prepared, trained: Trained) -> dict[str, Any]:
    """Measure both models and all baselines on both held-out splits; docs/metrics.md defines every number.

    `final_order` says how the lists of `two_stage` came to their order, see `FittedOrder`. Values that are
    not defined are None, so that the result is valid JSON.
    """
    return to_json(
        {
            "dataset": prepared.schema.dataset,
            "split": settings.data.split,
            "features": settings.features.mode,
            "seed": settings.seed,
            "parts": {name: part.model_dump() for name, part in prepared.schema.parts.items()},
            "models": rating_metrics(settings, prepared, trained)
            | top_k_metrics(settings, prepared, trained),
            "final_order": asdict(trained.order),
        }
    )


def rating_metrics(settings: Settings, prepared: Prepared, trained: Trained) -> Metrics:
    """Errors of the ranking model's predictions, beside the baselines' that predict ratings."""
    metrics = {DEEP_RANKING: _deep_report(settings, prepared, trained)}
    interactions, threshold = prepared.interactions, trained.ranking.like_threshold
    for name, baseline in fit_rating_baselines(interactions.part("train")).items():
        metrics[name] = _rating_report(prepared, _predict_held_out(prepared, baseline), threshold)
    metrics["running_bias"] = _rating_report(prepared, _running_bias(prepared), threshold)
    return metrics


def top_k_metrics(settings: Settings, prepared: Prepared, trained: Trained) -> Metrics:
    """Full rankings by the retrieval model and by both stages, beside the baselines' that rank.

    On validation, where the final order was fitted, each user's list is in the order fitted without them.
    """
    metrics: Metrics = {}
    for split in HELD_OUT:
        known = prepared.interactions.before(split)
        retrieval, ranking = _retrieval_for(split, trained), _ranking_for(split, trained)
        scorers: dict[str, Scorer] = {
            TWO_TOWER: RetrievalScorer(retrieval, prepared.snapshot(split)),
            TWO_STAGE: two_stages(settings, prepared, retrieval, ranking, trained.order, split),
        }
        scorers |= fit_top_k_baselines(
            known, seed=settings.seed, half_life_days=settings.evaluation.half_life_days
        )
        for name, scorer in scorers.items():
            metrics.setdefault(name, {})[split] = _ranking_report(settings, prepared, split, scorer)
    return metrics


def _retrieval_for(split: str, trained: Trained) -> RetrievalModel:
    """The retrieval model to measure on a split: never one that was fitted on it."""
    return trained.validated_retrieval if split == "validation" else trained.retrieval


def _ranking_for(split: str, trained: Trained) -> RankingModel:
    """The ranking model to measure on a split: never one that was fitted on it."""
    return trained.validated_ranking if split == "validation" else trained.ranking


def _deep_report(settings: Settings, prepared: Prepared, trained: Trained) -> dict[str, dict[str, Any]]:
    """What the ranking model's objective is about: errors in stars, likes, or ratings among drawn movies."""
    model = trained.ranking
    rows = {split: ranking_rows(settings, prepared, split) for split in HELD_OUT}
    predictions = {
        split: predict(_ranking_for(split, trained), part.arrays, part.negatives)
        for split, part in rows.items()
    }
    if model.objective == "rating":
        return _rating_report(prepared, predictions, model.like_threshold)
    threshold = model.like_threshold if model.objective == "like" else 1.0
    return {split: evaluate_like(predictions[split], rows[split].target, threshold) for split in HELD_OUT}


def _rating_report(
    prepared: Prepared, predictions: Predictions, threshold: float
) -> dict[str, dict[str, Any]]:
    """Reports on both splits; the probability of a like is calibrated on validation, used on both."""
    interactions = prepared.interactions
    validation = interactions.part("validation").rating
    calibration = fit_like_calibration(predictions["validation"], validation, threshold)
    return {
        split: evaluate_rating(
            predictions[split],
            interactions.part(split).rating,
            threshold,
            calibration,
            history_counts=prepared.column("user_count", split),
        )
        for split in HELD_OUT
    }


def _predict_held_out(prepared: Prepared, baseline: RatingPredictor) -> Predictions:
    parts = {split: prepared.interactions.part(split) for split in HELD_OUT}
    return {split: baseline.predict(part.user, part.movie) for split, part in parts.items()}


def _running_bias(prepared: Prepared) -> Predictions:
    """The baseline that sees the same point-in-time statistics as the deep model."""

    def statistics(split: str) -> RunningStatistics:
        names = ("movie_count", "movie_mean", "user_count", "user_deviation")
        return RunningStatistics(*(prepared.column(name, split) for name in names))

    model = fit_running_bias(statistics("train"), prepared.interactions.part("train").rating)
    return {split: model.predict(statistics(split)) for split in HELD_OUT}


def _ranking_report(settings: Settings, prepared: Prepared, split: str, scorer: Scorer) -> dict[str, Any]:
    interactions = prepared.interactions
    report = evaluate_ranking(
        scorer,
        interactions.before(split),
        interactions.part(split),
        settings.evaluation.k,
        genres=prepared.genre_matrix(),
        rated=interactions,
        seed=settings.seed,
    )
    return report.as_dict()
