"""The validation metric of trials against what they were set to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial

from recommender.tracking.style import ACCENT, OURS, WIDEST, panels
from recommender.tracking.trials import complete_trials, metric_of, searched_keys, short, study_of, value_of
from recommender.tuning.results import trial_as_they_are
from recommender.tuning.study import finished_trials

MARGIN = 0.05  # of a range, on both sides


def slices(run_folder: Path) -> Figure | None:
    """The validation metric of completed trials against each searched setting."""
    study = study_of(run_folder)
    if study is None:
        return None
    complete = complete_trials(finished_trials(study))
    keys = searched_keys(study)
    if not keys:
        return None  # so far only the settings as they are, which are outside the ranges
    title = f"Trials by setting: validation {metric_of(study)}, lower is better"
    figure, every = panels(len(keys), f"{title}\ndarker: later; diamond: settings as they are")
    for key, axes in zip(keys, every, strict=True):
        _slice(axes, key, [trial for trial in complete if key in trial.params])
        axes.set_xlabel(short(key), fontsize=9)
    for axes in every[::WIDEST]:
        axes.set_ylabel(metric_of(study), fontsize=9)
    return figure


def _slice(axes: Axes, key: str, trials: Sequence[FrozenTrial]) -> None:
    distribution = trials[0].distributions[key]
    _show_range(axes, distribution)
    places = [trial.params[key] for trial in trials]
    if isinstance(distribution, CategoricalDistribution):
        places = [distribution.choices.index(choice) for choice in places]
    shades = [to_rgba(OURS, alpha) for alpha in np.linspace(0.3, 1.0, len(trials))]
    axes.scatter(places, [value_of(trial) for trial in trials], color=shades, linewidth=0, s=36)
    as_set = trial_as_they_are(trials)
    if as_set:
        axes.scatter(places[list(trials).index(as_set)], value_of(as_set), marker="D", color=ACCENT, s=36)


def _show_range(axes: Axes, distribution: BaseDistribution) -> None:
    """The whole range that was searched, tried or not."""
    if isinstance(distribution, CategoricalDistribution):
        labels = [str(choice).strip('"') for choice in distribution.choices]
        axes.set_xticks(range(len(labels)), labels, rotation=20 if len(labels) > 3 else 0)
        axes.set_xlim(-0.5, len(labels) - 0.5)
        return
    low, high = distribution.low, distribution.high
    if distribution.log:
        axes.set_xscale("log")
        axes.set_xlim(low * (low / high) ** MARGIN, high * (high / low) ** MARGIN)
        ticks = np.geomspace(low, high, 3)
        axes.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
        axes.set_xticks([], minor=True)
    else:
        axes.set_xlim(low - MARGIN * (high - low), high + MARGIN * (high - low))
