"""What the plots of a search read from its study."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState

from recommender.tracking.curves import VALIDATED_BY
from recommender.tuning.study import BASE, finished_trials, read_study

STUDY_FILE = "study.log"


def study_of(run_folder: Path) -> optuna.Study | None:
    """The study of a run with at least one completed trial."""
    path = run_folder / STUDY_FILE
    study = read_study(path) if path.is_file() else None
    return study if study is not None and complete_trials(finished_trials(study)) else None


def complete_trials(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Those that were not pruned."""
    return [trial for trial in trials if trial.state == TrialState.COMPLETE]


def searched_keys(study: optuna.Study) -> list[str]:
    """The searched settings of which there is a completed trial."""
    return list(
        dict.fromkeys(key for trial in complete_trials(finished_trials(study)) for key in trial.params)
    )


def metric_of(study: optuna.Study) -> str:
    """What the search minimises."""
    return VALIDATED_BY[study.user_attrs[BASE]["ranking.objective"]]


def value_of(trial: FrozenTrial) -> float:
    """The validation metric; NaN where training diverged."""
    return math.nan if trial.value is None else trial.value


def short(key: str) -> str:
    """A key without its section."""
    return key.split(".", 1)[1]
