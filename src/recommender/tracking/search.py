"""How the search for better settings went."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import optuna
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from recommender.tracking.curves import VALIDATED_BY
from recommender.tracking.style import ACCENT, DARK, GREY, OURS, WIDEST, panels
from recommender.tuning.results import best_trial, trial_as_they_are
from recommender.tuning.study import BASE, finished_trials, read_study

STUDY_FILE = "study.log"
ENOUGH_FOR_IMPORTANCE = 4  # trials that completed


def optimisation_history(run_folder: Path) -> Figure | None:
    """The validation metric of every trial in order, and the best so far."""
    study = _study(run_folder)
    if study is None:
        return None
    trials = finished_trials(study)
    complete = _complete(trials)
    figure, (axes,) = panels(
        1, f"{_finding(trials)}\nvalidation {_metric(study)}, lower is better", (7.0, 3.2)
    )
    pruned = [trial for trial in trials if trial.state == TrialState.PRUNED and trial.value is not None]
    _points(axes, pruned, "x", GREY, "pruned, last epoch")
    _points(axes, complete, "o", OURS, "complete")
    as_set = trial_as_they_are(complete)
    _points(axes, [as_set] if as_set else [], "D", ACCENT, "settings as they are")
    so_far = np.minimum.accumulate([_value(trial) for trial in complete])
    numbers = [trial.number for trial in complete]
    axes.step(
        [*numbers, trials[-1].number],
        [*so_far, so_far[-1]],
        where="post",
        color=DARK,
        linewidth=1,
        label="best so far",
    )
    axes.set_xlabel("trial")
    axes.set_ylabel(_metric(study))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(y=0.12)
    axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def importance(run_folder: Path) -> Figure | None:
    """How much of the variance over trials each setting explains by itself and with others.

    fANOVA: Hutter, Hoos, Leyton-Brown, "An efficient approach for assessing hyperparameter importance", ICML
    2014, on completed trials. With few trials it is a hint.
    """
    study = _study(run_folder)
    if study is None:
        return None
    keys = _keys(study)
    complete = [trial for trial in _complete(finished_trials(study)) if len(trial.params) == len(keys)]
    if len(complete) < ENOUGH_FOR_IMPORTANCE or len({trial.value for trial in complete}) == 1:
        return None
    shares = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0), params=keys)
    order = sorted(shares, key=lambda key: shares[key])
    title = f"Importance of the settings in {len(complete)} trials (share of explained variance, fANOVA)"
    figure, (axes,) = panels(1, title, (7.0, 0.3 * len(order) + 0.8))
    bars = axes.barh([_short(key) for key in order], [shares[key] for key in order], color=OURS)
    axes.bar_label(bars, fmt="{:.0%}", padding=4, fontsize=9)
    axes.margins(x=0.12)
    axes.set_xlabel("importance")
    return figure


def slices(run_folder: Path) -> Figure | None:
    """The validation metric of completed trials against each searched setting."""
    study = _study(run_folder)
    if study is None:
        return None
    complete = _complete(finished_trials(study))
    keys = _keys(study)
    title = f"Trials by setting: validation {_metric(study)}, lower is better"
    figure, every = panels(len(keys), f"{title}\ndarker: later; diamond: settings as they are")
    for key, axes in zip(keys, every, strict=True):
        _slice(axes, key, [trial for trial in complete if key in trial.params])
        axes.set_xlabel(_short(key), fontsize=9)
    for axes in every[::WIDEST]:
        axes.set_ylabel(_metric(study), fontsize=9)
    return figure


def _slice(axes: Axes, key: str, trials: Sequence[FrozenTrial]) -> None:
    distribution = trials[0].distributions[key]
    if isinstance(distribution, optuna.distributions.CategoricalDistribution):
        labels = [str(choice).strip('"') for choice in distribution.choices]
        values = [distribution.choices.index(trial.params[key]) for trial in trials]
        axes.set_xticks(range(len(labels)), labels, rotation=20 if len(labels) > 3 else 0)
        axes.set_xlim(-0.5, len(labels) - 0.5)
    else:
        values = [trial.params[key] for trial in trials]
        if distribution.log:
            axes.set_xscale("log")
    shades = [to_rgba(OURS, alpha) for alpha in np.linspace(0.3, 1.0, len(trials))]
    axes.scatter(values, [_value(trial) for trial in trials], color=shades, linewidth=0, s=36)
    as_set = trial_as_they_are(trials)
    if as_set:
        place = values[list(trials).index(as_set)]
        axes.scatter(place, as_set.value, marker="D", color=ACCENT, s=36)


def _study(run_folder: Path) -> optuna.Study | None:
    """The study of a run with at least one completed trial."""
    path = run_folder / STUDY_FILE
    study = read_study(path) if path.is_file() else None
    return study if study is not None and _complete(finished_trials(study)) else None


def _complete(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    return [trial for trial in trials if trial.state == TrialState.COMPLETE]


def _keys(study: optuna.Study) -> list[str]:
    """The searched settings of which there is a completed trial."""
    return list(dict.fromkeys(key for trial in _complete(finished_trials(study)) for key in trial.params))


def _finding(trials: Sequence[FrozenTrial]) -> str:
    """What the search has gained."""
    best, as_set = best_trial(trials), trial_as_they_are(trials)
    found = f"best of {len(trials)} trials: {_value(best):.4f}" if best else f"{len(trials)} trials"
    return f"Tuning: settings as they are {_value(as_set):.4f}, {found}" if as_set else f"Tuning: {found}"


def _points(axes: Axes, trials: Sequence[FrozenTrial], marker: str, colour: str, label: str) -> None:
    if trials:
        numbers, values = [trial.number for trial in trials], [_value(trial) for trial in trials]
        axes.plot(numbers, values, marker, color=colour, markersize=7, label=label)


def _metric(study: optuna.Study) -> str:
    return VALIDATED_BY[study.user_attrs[BASE]["ranking.objective"]]


def _value(trial: FrozenTrial) -> float:
    return math.nan if trial.value is None else trial.value


def _short(key: str) -> str:
    """A key without its section."""
    return key.split(".", 1)[1]
