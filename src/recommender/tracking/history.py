"""How the error depends on what is known of the user: a mean over all users hides how new ones fare."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recommender.tracking.scores import SPLIT, read_metrics, with_metric
from recommender.tracking.style import GREY, MARKERS, OURS, is_baseline, panels, readable

METRIC = "rmse"


def rmse_by_history(run_folder: Path) -> Figure | None:
    """The RMSE of every rating model by the number of ratings that its user gave before."""
    measured = with_metric(with_metric(read_metrics(run_folder) or {}, METRIC), "by_history")
    if all(is_baseline(name) for name in measured):
        return None
    errors = {name: _errors(found["by_history"]) for name, found in measured.items()}
    lowest = [min(values, default=math.nan) for values in zip(*errors.values(), strict=True)]
    title = f"RMSE on {SPLIT} by earlier ratings of the user, lower is better"
    figure, (axes,) = panels(1, title, (8.0, 3.6))
    markers = cycle(MARKERS)
    for name in sorted(errors, key=is_baseline, reverse=True):  # ours are drawn over the grey lines
        colour, width = (GREY, 1.0) if is_baseline(name) else (OURS, 2.5)
        axes.plot(errors[name], color=colour, linewidth=width, marker=next(markers), label=readable(name))
        if not is_baseline(name):
            _label(axes, errors[name], lowest)
    groups = next(iter(measured.values()))["by_history"]
    counts = [f"{group}\n{content['ratings']:,} ratings" for group, content in groups.items()]
    axes.set_xticks(range(len(counts)), counts)
    axes.margins(y=0.18)
    axes.set_ylabel("RMSE")
    axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5), reverse=True)
    return figure


def _errors(by_history: Mapping[str, Mapping[str, Any]]) -> list[float]:
    """One error per group; NaN, which leaves a gap in the line, where a group has no ratings."""
    values = [group[METRIC] for group in by_history.values()]
    return [math.nan if value is None else value for value in values]


def _label(axes: Axes, values: list[float], lowest: list[float]) -> None:
    """Values below the line where nothing is below, else above."""
    for place, (value, least) in enumerate(zip(values, lowest, strict=True)):
        if not math.isnan(value):
            offset, align = ((0, -16), "center") if value == least else ((4, 8), "left")
            axes.annotate(
                f"{value:.3f}",
                (place, value),
                offset,
                textcoords="offset points",
                ha=align,
                color=OURS,
                fontsize=9,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.5},
            )
