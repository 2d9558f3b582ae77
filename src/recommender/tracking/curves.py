"""How both fits went, epoch by epoch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from recommender.config import read_yaml
from recommender.tracking.style import ACCENT, GREY, OURS, panels

VALIDATED_BY = {"rating": "RMSE", "like": "log loss", "implicit": "log loss"}  # by ranking.objective


def learning_curves(run_folder: Path) -> Figure | None:
    """Training loss and validation metric of both models by epoch; the one that was kept is marked."""
    found = {name: _read(run_folder / name) for name in ("ranking", "retrieval")}
    fits = {name: progress for name, progress in found.items() if progress is not None}
    if not fits:
        return None
    metrics = {
        "ranking": f"{_ranking_metric(run_folder)}, lower is better",
        "retrieval": "NDCG@10, higher is better",
    }
    figure, every = panels(
        2 * len(fits), "Learning curves: the epoch that validated best is kept", (4.2, 2.6), 2
    )
    for (name, progress), loss, validation in zip(fits.items(), every[::2], every[1::2], strict=True):
        _curve(loss, progress["loss"], f"{name}: training loss", GREY)
        _curve(validation, progress["validation"], f"{name}: validation {metrics[name]}", OURS)
        best = progress["best_epoch"]
        value = progress["validation"][best]
        validation.plot(best + 1, value, "o", color=ACCENT, markersize=8)
        validation.annotate(
            f"{value:.4f}",
            (best + 1, value),
            (0, 9),
            textcoords="offset points",
            ha="center",
            color=ACCENT,
            fontsize=9,
        )
    return figure


def _read(folder: Path) -> dict[str, Any] | None:
    """How far a fit has come; None before its first epoch ended."""
    path = folder / "progress.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _ranking_metric(run_folder: Path) -> str:
    path = run_folder / "config.yaml"
    objective = read_yaml(path).get("ranking", {}).get("objective") if path.is_file() else None
    return VALIDATED_BY.get(str(objective), "metric")


def _curve(axes: Axes, values: list[float], title: str, colour: str) -> None:
    axes.plot(range(1, len(values) + 1), values, color=colour, marker="o", markersize=4)
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("epoch", fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0.1, y=0.25)
