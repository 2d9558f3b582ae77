"""The run's models beside the baselines, on the test split."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from recommender.tracking.style import DARK, GREY, OURS, is_baseline, panels, readable

SPLIT = "test"
RATING_ERRORS = ("rmse", "log_loss")  # the first that a model of ours has
RANKING_METRICS = ("ndcg", "recall", "hit_rate")

Measured = Mapping[str, Mapping[str, Any]]  # model -> metric -> value


def read_metrics(run_folder: Path) -> Measured | None:
    """What `metrics.json` holds of the test split, or None where nothing was measured yet."""
    path = run_folder / "metrics.json"
    if not path.is_file():
        return None
    models = json.loads(path.read_text(encoding="utf-8"))["models"]
    return {name: splits[SPLIT] for name, splits in models.items() if SPLIT in splits}


def rating_error(run_folder: Path) -> Figure | None:
    """The error of all models that predict ratings; of likes, where ours predicts likes."""
    measured = read_metrics(run_folder) or {}
    for metric in RATING_ERRORS:
        if any(not is_baseline(name) for name in with_metric(measured, metric)):
            return _rating_error(with_metric(measured, metric), metric)
    return None


def ranking_metrics(run_folder: Path) -> Figure | None:
    """NDCG, recall and hit rate of all models that rank the catalogue, for the shortest list measured."""
    measured = read_metrics(run_folder) or {}
    lengths = [
        int(name.removeprefix("ndcg@")) for found in measured.values() for name in found if _is_ndcg(name)
    ]
    if not lengths:
        return None
    metrics = [f"{name}@{min(lengths)}" for name in RANKING_METRICS]
    models = with_metric(measured, metrics[0])
    order = sorted(models, key=lambda name: models[name][metrics[0]])
    title = f"{_metric(metrics[0])} on {SPLIT}, higher is better: {_finding(models, metrics[0], best=max)}"
    figure, every = panels(
        len(metrics), f"{title}\nlines: one standard error over users", (3.6, 0.28 * len(order) + 1)
    )
    for axes, metric in zip(every, metrics, strict=True):
        _bars(axes, order, models, metric)
        if axes is not every[0]:
            axes.set_yticklabels([])
    return figure


def with_metric(measured: Measured, metric: str) -> Measured:
    """The models for which a metric is defined."""
    return {name: found for name, found in measured.items() if found.get(metric) is not None}


def _rating_error(models: Measured, metric: str) -> Figure:
    """Points and not bars: these errors differ by little, far from 0."""
    order = sorted(models, key=lambda name: -models[name][metric])
    title = f"{_metric(metric)} on {SPLIT}, lower is better:\n{_finding(models, metric, best=min)}"
    figure, (axes,) = panels(1, title, (7.0, 0.3 * len(order) + 0.8))
    for place, name in enumerate(order):
        value, colour = models[name][metric], _colour(name)
        axes.axhline(place, color=GREY, linewidth=0.5, alpha=0.5)
        axes.plot(value, place, "o", color=colour, markersize=9)
        axes.annotate(
            f"{value:.4f}", (value, place), (9, 0), textcoords="offset points", va="center", color=colour
        )
    axes.set_ylim(-0.6, len(order) - 0.4)
    axes.margins(x=0.18)
    axes.set_xlabel(_metric(metric))
    _name_rows(axes, order)
    return figure


def _bars(axes: Axes, order: Sequence[str], models: Measured, metric: str) -> None:
    values = [models[name][metric] for name in order]
    errors = [(models[name].get("standard_errors", {}).get(metric) or 0.0) for name in order]
    colours = [_colour(name) for name in order]
    axes.barh(
        range(len(order)), values, color=colours, xerr=errors, error_kw={"ecolor": DARK, "elinewidth": 1}
    )
    for place, (value, error, colour) in enumerate(zip(values, errors, colours, strict=True)):
        at = (value + error, place)
        axes.annotate(
            f"{value:.3f}", at, (4, 0), textcoords="offset points", va="center", color=colour, fontsize=9
        )
    axes.margins(x=0.2)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.set_title(_metric(metric), fontsize=10)
    _name_rows(axes, order)


def _name_rows(axes: Axes, order: Sequence[str]) -> None:
    axes.set_yticks(range(len(order)), [readable(name) for name in order])
    for tick, name in zip(axes.get_yticklabels(), order, strict=True):
        tick.set_color(_colour(name))
        tick.set_fontweight("normal" if is_baseline(name) else "bold")


def _finding(models: Measured, metric: str, best: Any) -> str:
    """The best of ours and the best baseline."""
    parts = []
    for kind, names in (
        ("", [n for n in models if not is_baseline(n)]),
        ("best baseline ", [n for n in models if is_baseline(n)]),
    ):
        if names:
            name = best(names, key=lambda name: models[name][metric])
            parts.append(f"{kind}{readable(name)} {models[name][metric]:.3f}")
    return ", ".join(parts)


def _metric(name: str) -> str:
    return {"rmse": "RMSE", "log_loss": "log loss"}.get(name, name.replace("ndcg", "NDCG").replace("_", " "))


def _is_ndcg(name: str) -> bool:
    return name.startswith("ndcg@") and name.removeprefix("ndcg@").isdigit()


def _colour(model: str) -> str:
    return GREY if is_baseline(model) else OURS
