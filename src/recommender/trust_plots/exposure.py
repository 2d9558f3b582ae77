"""Who is shown: lists beside the catalogue and beside what people rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recommender.tracking.style import ACCENT, DARK, GREY, OURS, panels
from recommender.trust_plots.lines import RETRIEVAL, numbers

RIVALS = ("popularity", "item_knn")
COLOURS = (OURS, GREY, "#B0B0B0")


def exposure_of_movies(found: Mapping[str, Any]) -> Figure:
    """Shares of head, torso, tail and new movies, and how many of their held-out ratings are found."""
    lists = found["lists"]
    by_model = {name: lists["exposure"][name] for name in (RETRIEVAL, *RIVALS)}
    names = list(by_model[RETRIEVAL])
    title = f"Head, torso, tail and new movies in the first {lists['k']} places"
    figure, (shares, accuracy) = panels(2, title, (4.8, 3.4), 2)
    ours = by_model[RETRIEVAL]
    shares_of = {"catalogue": [ours[name]["catalogue"] for name in names]}
    shares_of |= {"held-out ratings": [ours[name]["held_out"] for name in names]}
    shown = {
        model.replace("_", " "): [each[name]["shown"] for name in names] for model, each in by_model.items()
    }
    _bars(shares, names, shares_of | shown, (ACCENT, DARK, *COLOURS))
    found_of = {model: [each[name]["accuracy"] for name in names] for model, each in by_model.items()}
    _bars(accuracy, names, {model.replace("_", " "): each for model, each in found_of.items()}, COLOURS)
    shares.set_title("share of catalogue, ratings and places", fontsize=10)
    accuracy.set_title("share of held-out ratings that are found", fontsize=10)
    return figure


def _bars(
    axes: Axes, names: list[str], series: Mapping[str, list[float | None]], colours: tuple[str, ...]
) -> None:
    width = 0.84 / len(series)
    for place, ((label, values), colour) in enumerate(zip(series.items(), colours, strict=True)):
        positions = np.arange(len(names)) + (place - (len(series) - 1) / 2) * width
        axes.bar(positions, numbers(values), width * 0.92, color=colour, label=label)
    axes.set_xticks(range(len(names)), names)
    axes.legend(frameon=False, fontsize=8)
