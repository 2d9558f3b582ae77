"""Errors within groups and how far groups are from the others, with what chance would make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recommender.tracking.style import ACCENT, DARK, GREY, OURS
from recommender.trust_plots.lines import RANKING, RIVAL, error_bars

COLUMNS = {"rmse": "RMSE", "gap": "RMSE less that of all others"}
OFFSETS = {RANKING: 0.14, RIVAL: -0.14}  # of a row
ROW_HEIGHT = 0.3  # inches

Group = Mapping[str, Any]


def errors_by_group(found: Mapping[str, Any], groupings: Sequence[str]) -> Figure | None:
    """For each group the RMSE of our model and of the rival, and the gap to all other groups."""
    groups = {
        name: found["ratings"]["groups"][name] for name in groupings if name in found["ratings"]["groups"]
    }
    if not groups:
        return None
    sizes = [len(models[RANKING]) for models in groups.values()]
    figure = Figure(figsize=(9.2, ROW_HEIGHT * sum(sizes) + 0.5 * len(sizes) + 1.1), layout="constrained")
    figure.suptitle(
        f"Errors by {', '.join(groups)}: our model (blue) and running bias (grey)\n"
        "lines: 95 % intervals over users; hollow: too few users; orange: beyond chance with so many groups",
        fontsize=11,
        color=DARK,
    )
    every = figure.subplots(len(groups), 2, squeeze=False, height_ratios=sizes)
    for (grouping, models), (left, right) in zip(groups.items(), every, strict=True):
        _panel(left, models, "rmse")
        _panel(right, models, "gap")
        right.axvline(0, color=DARK, linewidth=0.8, linestyle=":")
        right.set_yticklabels([])
        left.set_title(grouping, fontsize=10, loc="left")
    for axes, label in zip(every[-1], COLUMNS.values(), strict=True):
        axes.set_xlabel(label)
    return figure


def _panel(axes: Axes, models: Mapping[str, Mapping[str, Group]], quantity: str) -> None:
    names = list(models[RANKING])
    for model, offset in OFFSETS.items():
        for place, name in enumerate(names):
            _point(axes, models[model][name], quantity, place - offset, OURS if model == RANKING else GREY)
    axes.set_yticks(range(len(names)), [f"{name} ({models[RANKING][name]['users']})" for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8, colors=DARK)
    axes.grid(axis="y", color=GREY, alpha=0.15)


def _point(axes: Axes, group: Group, quantity: str, place: float, colour: str) -> None:
    """A value with its interval; hollow where there are too few users for one."""
    value, few = group[quantity], group["differs"] is None
    if value is None or not np.isfinite(value):
        return
    colour = ACCENT if quantity == "gap" and group["differs"] and colour == OURS else colour
    bars = error_bars(value, group[f"{quantity}_interval"])
    axes.errorbar(
        value,
        place,
        xerr=bars,
        fmt="o",
        color=colour,
        markersize=5,
        mfc="white" if few else colour,
        linewidth=1.3,
    )
