"""The probability of a like: does it mean what it says, and does it tell likes from the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from recommender.evaluation.curves import GRID
from recommender.tracking.style import DARK, OURS, panels
from recommender.trust_plots.lines import RANKING, numbers, styles


def reliability_diagram(found: Mapping[str, Any]) -> Figure:
    """The share of likes against the predicted probability, and how often each probability is given."""
    models = found["ratings"]["models"]
    error = models[RANKING]["reliability"]["expected_error"]
    title = f"P(rating ≥ {found['like_threshold']:g}): off by {error:.3f} on average"
    figure, (diagram, counts) = panels(2, title, (4.6, 3.6), 2)
    diagram.plot([0, 1], [0, 1], color=DARK, linewidth=0.8, linestyle=":")
    for name, style in styles(list(models)).items():
        bins = models[name]["reliability"]
        label = f"{style.pop('label')}: {bins['expected_error']:.3f}"
        diagram.plot(
            numbers(bins["predicted"]),
            numbers(bins["actual"]),
            **{"marker": "o", "clip_on": False, **style},
            label=label,
        )
    diagram.set(xlabel="predicted probability of a like", ylabel="share of likes", xlim=(0, 1), ylim=(0, 1))
    diagram.legend(frameon=False, fontsize=8, title="expected calibration error", title_fontsize=8)
    rows = numbers(models[RANKING]["reliability"]["rows"])
    edges = np.linspace(0, 1, len(rows) + 1)
    counts.bar(edges[:-1], rows, np.diff(edges), align="edge", color=OURS, edgecolor="white")
    counts.set(xlabel="predicted probability of a like", ylabel="test ratings", xlim=(0, 1))
    return figure


def like_curves(found: Mapping[str, Any]) -> Figure:
    """The ROC curve and the precision-recall curve of likes."""
    models = found["ratings"]["models"]
    figure, (roc, precision) = panels(2, "Likes against the rest", (4.6, 3.6), 2)
    likes = models[RANKING]["curves"]["likes"]
    roc.plot([0, 1], [0, 1], color=DARK, linewidth=0.8, linestyle=":")
    precision.axhline(likes, color=DARK, linewidth=0.8, linestyle=":")
    for name, style in styles(list(models)).items():
        curves = models[name]["curves"]
        label, style = style.pop("label"), {**style, "markevery": 20}
        roc.plot(
            GRID, numbers(curves["true_positive_rate"]), **style, label=f"{label}: AUC {curves['auc']:.3f}"
        )
        area = f"{label}: area {curves['average_precision']:.3f}"
        precision.plot(GRID, numbers(curves["precision"]), **style, label=area)
    roc.set(title="ROC", xlabel="share of the rest above the threshold", ylabel="share of likes above it")
    precision.set(
        title="Precision and recall", xlabel="recall", ylabel="precision", ylim=(likes - 0.08, 1.01)
    )
    precision.annotate(
        "all rows", (0.02, likes), (0, -11), textcoords="offset points", fontsize=8, color=DARK
    )
    roc.legend(frameon=False, fontsize=8)
    precision.legend(frameon=False, fontsize=8)
    return figure
