"""The picture of benchmarks/dlrm_protocol.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from recommender.tracking.style import ACCENT, GREY, MARKERS, OURS, panels

METRICS = {"auc": "AUC", "log_loss": "log loss"}
COLOURS = {"dlrm": OURS, "lightgbm": GREY}
STEPS = {"dlrm": "epoch", "lightgbm": "trees"}


def plot_protocol(found: Mapping[str, Any], folder: Path) -> Path:
    """AUC and log loss of each fold of the first seed, by epoch and by tree; what was kept is marked."""
    folder.mkdir(parents=True, exist_ok=True)
    title = f"{found['dataset']}, likes: each of {len(found['models']['dlrm'][0]['folds'])} folds, seed 1"
    figure, every = panels(4, f"{title}\nmarked: the epoch or tree that was kept", (4.6, 2.9), 2)
    places = [(model, metric) for metric in METRICS for model in COLOURS]
    for (model, metric), axes in zip(places, every, strict=True):
        for fold, curves in enumerate(found["models"][model][0]["folds"]):
            _curve(axes, curves[metric], curves["best"], model, fold)
        axes.set_title(f"{model}: {METRICS[metric]} of held-out rows", fontsize=10)
        axes.set_xlabel(STEPS[model])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for left, right in (every[:2], every[2:]):
        limits = [*left.get_ylim(), *right.get_ylim()]
        values = _kept(found, "auc" if left is every[0] else "log_loss")
        margin = 4 * (max(values) - min(values) + 0.003)
        for axes in (left, right):
            axes.set_ylim(max(min(limits), min(values) - margin), min(max(limits), max(values) + margin))
    every[0].legend(frameon=False, fontsize=8)
    building, path = folder / ".dlrm-protocol.png", folder / "dlrm-protocol.png"
    figure.savefig(building, format="png", dpi=110)
    building.replace(path)
    return path


def _curve(axes: Axes, values: list[float], best: int, model: str, fold: int) -> None:
    marker = MARKERS[fold] if model == "dlrm" else None
    axes.plot(
        np.arange(1, len(values) + 1),
        values,
        color=COLOURS[model],
        marker=marker,
        markersize=4,
        label=f"fold {fold + 1}",
    )
    axes.plot(best + 1, values[best], "o", color=ACCENT, markersize=8, zorder=3)


def _kept(found: Mapping[str, Any], metric: str) -> list[float]:
    """What the kept epochs and trees of all folds reached."""
    return [
        curves[metric][curves["best"]] for runs in found["models"].values() for curves in runs[0]["folds"]
    ]
