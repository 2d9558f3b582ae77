"""Predicted ratings: errors by group, calibration, curves and spread."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.data.prepared import Prepared
from recommender.evaluation.breakdown import rating_breakdown
from recommender.evaluation.calibration import fit_like_calibration
from recommender.evaluation.curves import like_curves
from recommender.evaluation.distribution import distribution
from recommender.evaluation.groups import Groups, groups_by_history, groups_by_popularity, user_groups
from recommender.evaluation.rating import evaluate_rating
from recommender.evaluation.reliability import reliability
from recommender.scoreboard import DEEP_RANKING
from recommender.trust.predictions import RIVAL, Predictions

# Baselines that every group is compared with: the one that knows the history, and the one that knows ids.
COMPARED = (DEEP_RANKING, RIVAL, "user_item_bias")


def measure_ratings(prepared: Prepared, predictions: Predictions, threshold: float) -> dict[str, Any]:
    """`models`: errors, reliability and curves of each; `groups`: within groups; `spread`: distributions."""
    rating = prepared.interactions.part("test").rating
    scale = prepared.schema.rating_scale
    spread = {name: distribution(values, scale) for name, values in predictions["test"].items()}
    return {
        "models": {name: _model(prepared, predictions, name, threshold) for name in COMPARED},
        "groups": _groups(prepared, predictions["test"]),
        "spread": {"ratings": distribution(rating, scale)} | spread,
    }


def _model(prepared: Prepared, predictions: Predictions, name: str, threshold: float) -> dict[str, Any]:
    """One model on all test ratings; probabilities by Platt scaling on validation."""
    validation, rating = (prepared.interactions.part(split).rating for split in ("validation", "test"))
    calibration = fit_like_calibration(predictions["validation"][name], validation, threshold)
    predicted, liked = predictions["test"][name], rating >= threshold
    return {
        **evaluate_rating(predicted, rating, threshold, calibration),
        "reliability": reliability(calibration(predicted), liked),
        "curves": like_curves(predicted, liked),
    }


def _groups(prepared: Prepared, predicted: dict[str, NDArray[np.floating]]) -> dict[str, Any]:
    """Grouping -> model -> group -> errors."""
    test = prepared.interactions.part("test")
    return {
        grouping: {
            name: rating_breakdown(predicted[name], test.rating, test.user, groups, predicted[RIVAL])
            for name in COMPARED
        }
        for grouping, groups in row_groups(prepared).items()
    }


def row_groups(prepared: Prepared) -> dict[str, Groups]:
    """Groupings of the test ratings."""
    test = prepared.interactions.part("test")
    of_users = {name: groups.of(test.user) for name, groups in user_groups(prepared.users).items()}
    return {
        "history": groups_by_history(prepared.column("user_count", "test")),
        **of_users,
        "popularity": movies_by_popularity(prepared).of(test.movie),
    }


def movies_by_popularity(prepared: Prepared) -> Groups:
    """Groups of all movies by their training ratings."""
    training = prepared.interactions.part("train")
    return groups_by_popularity(np.bincount(training.movie, minlength=training.num_movies))
