"""The search itself: draw settings, fit the ranking model with them, keep its validation metric."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import Trial, TrialState

from recommender.config import Range, Settings
from recommender.data.prepared import Prepared
from recommender.search_space import check_search_space, is_whole, lay_over, limits, present_values
from recommender.training.devices import computing_on
from recommender.training.ranking import build_ranking, train_ranking
from recommender.tuning.results import best_trial
from recommender.tuning.study import (
    AS_THEY_ARE,
    WORKER,
    begin_trial,
    database_in_one_line,
    finished_trials,
    open_study,
    trial_folder,
)

LEARNING_TRIALS = 5  # drawn at random and never pruned, before the search trusts what it has seen
LEARNING_EPOCHS = 1  # of every trial, before it may be pruned


def tune(settings: Settings, prepared: Prepared, study_path: Path, worker: int = 0) -> None:
    """Run trials as one of `tuning.workers` processes until the study has `tuning.trials` finished ones.

    A trial fits the ranking model on the training split, beside the study's file, and is measured by its best
    epoch on the validation split; the test split is not read. The first trial is the settings as they are. A
    killed search goes on where it was; the trial that was cut off is repeated. With one worker the same seed
    gives the same trials, killed or not; with several the order in which they finish changes what is drawn.
    Raises `ConfigError` for ranges that hold no setting, before any training, and `RecommenderError` for a
    database that cannot be used.
    """
    check_search_space(settings, lambda candidate: build_ranking(candidate, prepared))
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # a line for each trial is printed here
    with computing_on(settings.distribution.device), database_in_one_line(settings.tuning.storage):
        study = open_study(study_path, _base(settings, prepared), settings.tuning.storage)
        study.pruner = optuna.pruners.NopPruner()
        if settings.tuning.pruning:
            study.pruner = optuna.pruners.MedianPruner(LEARNING_TRIALS, LEARNING_EPOCHS)
        while (trial := _begin(study, settings, study_path, worker)) is not None:
            _run(study, trial, settings, prepared, trial_folder(study_path, trial.number))
            print(_line(study, trial.number), flush=True)


def _begin(study: optuna.Study, settings: Settings, study_path: Path, worker: int) -> Trial | None:
    """The next trial with a sampler of its own: a resumed search must not draw its first trials again."""
    earlier = sum(trial.user_attrs[WORKER] == worker for trial in finished_trials(study))
    seed = int(np.random.SeedSequence([settings.seed, worker, earlier]).generate_state(1)[0])
    study.sampler = optuna.samplers.TPESampler(n_startup_trials=LEARNING_TRIALS, seed=seed)
    present = {
        key: _drawn(settings.tuning.ranges[key], value) for key, value in present_values(settings).items()
    }
    return begin_trial(study, study_path, worker, settings.tuning, present)


def _run(study: optuna.Study, trial: Trial, settings: Settings, prepared: Prepared, folder: Path) -> None:
    """Fit with the trial's settings and tell the study how it went."""
    is_present = AS_THEY_ARE in trial.user_attrs
    ranges = settings.tuning.ranges
    keys = present_values(settings) if is_present else ranges
    values = {key: _draw(trial, key, ranges[key]) for key in keys}
    candidate = settings if is_present else lay_over(settings, values)

    def on_epoch(epoch: int, value: float) -> None:
        if not math.isfinite(value):
            raise optuna.TrialPruned  # training has diverged
        trial.report(value, epoch)
        is_last = epoch + 1 == candidate.training.epochs
        if not is_present and not is_last and trial.should_prune():
            raise optuna.TrialPruned

    try:
        _, progress = train_ranking(candidate, prepared, folder, on_epoch)
        study.tell(trial, min(progress.validation))
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _draw(trial: Trial, key: str, allowed: Range) -> Any:
    """A value for one setting."""
    if allowed.choices is not None:
        return json.loads(
            trial.suggest_categorical(key, [_drawn(allowed, value) for value in allowed.choices])
        )
    low, high = limits(allowed)
    if is_whole(allowed):
        return trial.suggest_int(key, low, high, step=int(allowed.step or 1), log=allowed.log)
    return trial.suggest_float(key, low, high, step=allowed.step, log=allowed.log)


def _drawn(allowed: Range, value: Any) -> Any:
    """A setting's value as the study keeps it: choices as JSON, because studies keep no lists."""
    return value if allowed.choices is None else json.dumps(value)


def _base(settings: Settings, prepared: Prepared) -> Mapping[str, Any]:
    """What trials of one study have in common, by dotted keys."""
    tree = settings.model_dump(mode="json")
    base = {"prepared data": prepared.folder.name, "seed": settings.seed}
    for section in ("ranking", "training"):
        base |= {f"{section}.{key}": value for key, value in tree[section].items()}
    return base | {f"tuning.ranges.{key}": value for key, value in tree["tuning"]["ranges"].items()}


def _line(study: optuna.Study, number: int) -> str:
    """How a trial went, beside the best so far."""
    finished = finished_trials(study)
    trial = next(trial for trial in finished if trial.number == number)
    best = best_trial(finished)
    so_far = f", best so far {best.value:.4f} (trial {best.number})" if best else ""
    value = "diverged" if trial.value is None else f"{trial.value:.4f}"
    pruned = " (pruned)" if trial.state == TrialState.PRUNED else ""
    values = ", ".join(
        f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in trial.params.items()
    )
    return f"trial {number}{pruned}: validation {value}{so_far}; {values}"
