"""What the ranking model and its baselines predict of the held-out ratings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.config import Settings
from recommender.data.encode import Arrays
from recommender.data.features import select
from recommender.data.prepared import Prepared
from recommender.models.baselines import fit_rating_baselines
from recommender.models.baselines.running_bias import RunningBias, RunningStatistics, fit_running_bias
from recommender.models.ranking import RankingModel
from recommender.scoreboard import DEEP_RANKING
from recommender.training.ranking import predict, ranking_rows

RIVAL = "running_bias"  # the baseline that knows the same point-in-time statistics
STATISTICS = ("movie_count", "movie_mean", "user_count", "user_deviation")
HELD_OUT = ("validation", "test")

Predictions = dict[str, dict[str, NDArray[np.floating]]]  # split -> model -> (n,)


def predict_test(settings: Settings, prepared: Prepared, model: RankingModel) -> Predictions:
    """Predictions of test ratings, and of the validation ratings that calibration is fitted on."""
    interactions = prepared.interactions
    baselines = fit_rating_baselines(interactions.part("train"))
    running = running_bias(prepared)
    found: Predictions = {}
    for split in HELD_OUT:
        part = interactions.part(split)
        found[split] = {DEEP_RANKING: predict(model, ranking_rows(settings, prepared, split).arrays)}
        found[split][RIVAL] = running.predict(_statistics(prepared, split))
        found[split] |= {name: each.predict(part.user, part.movie) for name, each in baselines.items()}
    return found


def running_bias(prepared: Prepared) -> RunningBias:
    """The rival, fitted on the training split."""
    return fit_running_bias(_statistics(prepared, "train"), prepared.interactions.part("train").rating)


def running_statistics(arrays: Arrays) -> RunningStatistics:
    """What the rival looks at, of encoded columns."""
    return RunningStatistics(*(arrays[name] for name in STATISTICS))


def model_columns(settings: Settings, arrays: Arrays) -> Arrays:
    """Those columns that the ranking model reads."""
    features = select(settings.ranking.features, "ranking.features")
    return {column: arrays[column] for feature in features for column in feature.columns}


def _statistics(prepared: Prepared, split: str) -> RunningStatistics:
    return RunningStatistics(*(prepared.column(name, split) for name in STATISTICS))
