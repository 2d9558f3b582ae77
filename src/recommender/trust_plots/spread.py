"""How far predictions dare to differ from each other, beside the ratings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from recommender.tracking.style import DARK, panels
from recommender.trust_plots.lines import RANKING, RIVAL, styles

RATINGS, MEAN = "ratings", "global_mean"
FAINT = "#CCCCCC"


def spread_of_predictions(found: Mapping[str, Any]) -> Figure:
    """The distribution of predictions, of the ratings they are of, and where the mean baseline stands."""
    spread = found["ratings"]["spread"]
    ours, given = spread[RANKING]["deviation"], spread[RATINGS]["deviation"]
    title = f"Predictions spread by {ours:.2f} stars, ratings by {given:.2f} (standard deviations)"
    figure, (axes,) = panels(1, title, (8.0, 3.4))
    low, high = found["rating_scale"]
    edges = np.linspace(low, high, len(spread[RATINGS]["share"]) + 1)
    middle, share = (edges[1:] + edges[:-1]) / 2, np.array(spread[RATINGS]["share"])
    axes.bar(middle[share > 0], share[share > 0], 0.12, color=FAINT, label="ratings (left axis)")
    axes.set(xlabel="stars", ylabel="share of the ratings")
    density = axes.twinx()
    density.spines[["top"]].set_visible(False)
    for name, style in styles([RANKING, RIVAL, "user_item_bias"]).items():
        density.plot(middle, spread[name]["share"], **style, markevery=4, markersize=4)
    mean = spread[MEAN]["mean"]
    density.axvline(mean, color=DARK, linestyle=":", label=f"mean baseline: always {mean:.2f}")
    density.set(ylabel="share of the predictions")
    density.set_ylim(bottom=0)
    handles = [each for side in (axes, density) for each in side.get_legend_handles_labels()[0]]
    axes.legend(handles=handles, frameon=False, fontsize=8, loc="upper left")
    return figure
