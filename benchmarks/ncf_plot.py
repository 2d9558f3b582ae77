"""The picture of benchmarks/ncf_protocol.py."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from recommender.tracking.style import ACCENT, DARK, GREY, OURS, panels, readable

METRIC = "ndcg@10"
COLOURS = {"neumf": ACCENT, "two_tower_retrieval": OURS}


def plot_protocol(found: Mapping[str, Any], folder: Path) -> Path:
    """NDCG of all models, NeuMF's epochs, and its probabilities of held-out and of drawn movies."""
    folder.mkdir(parents=True, exist_ok=True)
    title = "ml-latest-small, 10 newest ratings of each user held out: NeuMF, its peers and our retrieval"
    figure, (bars, curves, lists) = panels(3, title, (4.4, 3.4))
    _bars(bars, found["models"])
    for run in found["models"]["neumf"]:
        epochs = range(1, len(run["loss"]) + 1)
        curves.plot(epochs, run["loss"], color=GREY, marker="o", markersize=4)
        curves.plot(epochs, run["validation"], color=ACCENT, marker="o", markersize=4)
    curves.set_title("NeuMF: log loss by epoch and seed\ntraining grey, validation orange", fontsize=10)
    curves.set_xlabel("epoch")
    curves.xaxis.set_major_locator(MaxNLocator(integer=True))
    _probabilities(lists, found["models"]["neumf"][0]["lists"])
    building, path = folder / ".ncf-protocol.png", folder / "ncf-protocol.png"
    figure.savefig(building, format="png", dpi=110)
    building.replace(path)
    return path


def _bars(axes: Axes, models: Mapping[str, list[dict[str, Any]]]) -> None:
    means = {name: statistics.fmean(run[METRIC] for run in runs) for name, runs in models.items()}
    order = sorted(means, key=means.__getitem__)
    errors = [models[name][0]["standard_errors"][METRIC] for name in order]
    colours = [COLOURS.get(name, GREY) for name in order]
    axes.barh([readable(name) for name in order], [means[name] for name in order], xerr=errors, color=colours)
    axes.set_title("NDCG@10, full ranking\nlines: one standard error over users", fontsize=10)


def _probabilities(axes: Axes, lists: Mapping[str, Any]) -> None:
    edges = np.linspace(0, 1, len(lists["held_out_share"]) + 1)
    axes.stairs(lists["drawn_share"], edges, color=GREY, fill=True, alpha=0.5, label="drawn beside them")
    axes.stairs(lists["held_out_share"], edges, color=ACCENT, linewidth=2, label="held out")
    axes.axvline(lists["threshold"], color=DARK, linestyle=":", linewidth=1)
    axes.set_title("NeuMF's probabilities\nthe list begins at the dotted line", fontsize=10)
    axes.set_xlabel("probability")
    axes.legend(frameon=False, fontsize=8)
