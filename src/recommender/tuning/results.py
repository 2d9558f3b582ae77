"""What a study has found."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from recommender.config import Settings
from recommender.search_space import lay_over
from recommender.tuning.study import AS_THEY_ARE, WORKER, finished_trials, read_study


def best_settings(settings: Settings, study_path: Path) -> Settings:
    """`settings` with the values of the best trial laid over them; unchanged if none beat them on validation.

    Pruned trials do not compete. Raises `RecommenderError` where there is no study.
    """
    finished = finished_trials(read_study(study_path))
    best, present = best_trial(finished), trial_as_they_are(finished)
    if best is None or present is None or _value(best) >= _value(present):
        return settings
    return lay_over(settings, searched_values(best))


def study_table(study_path: Path) -> pd.DataFrame:
    """One row per finished trial in the order of their numbers: number, state, validation, epochs, seconds,
    worker, as_they_are (whether it is the settings as they are), and a column for each searched key.

    `validation` is the metric that the search minimises; of a pruned trial its last epoch's, NaN if it had
    none that was a number. Raises `RecommenderError` where there is no study.
    """
    rows = [
        {
            "number": trial.number,
            "state": trial.state.name.lower(),
            "validation": math.nan if trial.value is None else trial.value,
            "epochs": len(trial.intermediate_values),
            "seconds": trial.duration.total_seconds() if trial.duration else math.nan,
            "worker": trial.user_attrs[WORKER],
            "as_they_are": AS_THEY_ARE in trial.user_attrs,
            **searched_values(trial),
        }
        for trial in finished_trials(read_study(study_path))
    ]
    return pd.DataFrame(rows)


def best_trial(finished: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """The completed trial with the lowest value, the earlier one of equals."""
    complete = [trial for trial in finished if trial.state == TrialState.COMPLETE]
    return min(complete, key=lambda trial: (_value(trial), trial.number), default=None)


def trial_as_they_are(finished: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """The trial of the settings as they are."""
    return next((trial for trial in finished if AS_THEY_ARE in trial.user_attrs), None)


def searched_values(trial: FrozenTrial) -> dict[str, Any]:
    """A trial's values by dotted key, as the settings take them."""
    return {key: _setting(value, trial.distributions[key]) for key, value in trial.params.items()}


def _setting(value: Any, distribution: optuna.distributions.BaseDistribution) -> Any:
    return json.loads(value) if isinstance(distribution, CategoricalDistribution) else value


def _value(trial: FrozenTrial) -> float:
    """The validation metric; infinite where training diverged."""
    return math.inf if trial.value is None else trial.value
