"""How the search for better settings went, and which of them mattered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from recommender.tracking.style import ACCENT, DARK, GREY, OURS, panels
from recommender.tracking.trials import complete_trials, metric_of, searched_keys, short, study_of, value_of
from recommender.tuning.results import best_trial, trial_as_they_are
from recommender.tuning.study import finished_trials

ENOUGH_FOR_IMPORTANCE = 4  # trials that completed
PLENTY_FOR_EACH = 10  # trials for each setting, before the importance says much


def optimisation_history(run_folder: Path) -> Figure | None:
    """The validation metric of every trial in order, and the best so far."""
    study = study_of(run_folder)
    if study is None:
        return None
    trials = finished_trials(study)
    complete = complete_trials(trials)
    figure, (axes,) = panels(
        1, f"{_finding(trials)}\nvalidation {metric_of(study)}, lower is better", (7.0, 3.2)
    )
    pruned = [trial for trial in trials if trial.state == TrialState.PRUNED and trial.value is not None]
    _points(axes, pruned, "x", GREY, "pruned, last epoch")
    _points(axes, complete, "o", OURS, "complete")
    as_set = trial_as_they_are(complete)
    _points(axes, [as_set] if as_set else [], "D", ACCENT, "settings as they are")
    so_far = np.minimum.accumulate([value_of(trial) for trial in complete])
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
    axes.set_ylabel(metric_of(study))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(y=0.12)
    axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def importance(run_folder: Path) -> Figure | None:
    """How much of the variance over trials each setting explains by itself and with others.

    fANOVA: Hutter, Hoos, Leyton-Brown, "An efficient approach for assessing hyperparameter importance", ICML
    2014, on completed trials.
    """
    study = study_of(run_folder)
    if study is None:
        return None
    keys = searched_keys(study)
    complete = [trial for trial in complete_trials(finished_trials(study)) if len(trial.params) == len(keys)]
    if len(complete) < ENOUGH_FOR_IMPORTANCE or len({trial.value for trial in complete}) == 1:
        return None
    shares = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0), params=keys)
    order = sorted(shares, key=lambda key: shares[key])
    title = f"Importance of the settings in {len(complete)} trials (share of explained variance, fANOVA)"
    if len(complete) < PLENTY_FOR_EACH * len(keys):
        title += f"\nfew trials for {len(keys)} settings: a hint, no more"
    figure, (axes,) = panels(1, title, (7.0, 0.3 * len(order) + 0.8))
    bars = axes.barh([short(key) for key in order], [shares[key] for key in order], color=OURS)
    axes.bar_label(bars, fmt="{:.0%}", padding=4, fontsize=9)
    axes.margins(x=0.12)
    axes.set_xlabel("importance")
    return figure


def _finding(trials: Sequence[FrozenTrial]) -> str:
    """What the search has gained."""
    best, as_set = best_trial(trials), trial_as_they_are(trials)
    found = f"best of {len(trials)} trials: {value_of(best):.4f}" if best else f"{len(trials)} trials"
    return f"Tuning: settings as they are {value_of(as_set):.4f}, {found}" if as_set else f"Tuning: {found}"


def _points(axes: Axes, trials: Sequence[FrozenTrial], marker: str, colour: str, label: str) -> None:
    if trials:
        numbers, values = [trial.number for trial in trials], [value_of(trial) for trial in trials]
        axes.plot(numbers, values, marker, color=colour, markersize=7, label=label)
