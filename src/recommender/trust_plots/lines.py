"""How the plots of trust draw a model: ours in colour, baselines in grey with markers of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.tracking.style import ACCENT, GREY, MARKERS, OURS, is_baseline, readable

# Models by their names in the tree: ours, and the baseline that knows what our ranking model knows.
RANKING, RETRIEVAL, RIVAL = "deep_ranking", "two_tower_retrieval", "running_bias"


def numbers(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Values from JSON, where null is NaN."""
    return np.array([np.nan if value is None else value for value in values], np.float64)


def styles(models: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Keywords for matplotlib by model."""
    ours = [name for name in models if not is_baseline(name)]
    baselines = [name for name in models if is_baseline(name)]
    found: dict[str, dict[str, Any]] = {}
    for name, colour in zip(ours, (OURS, ACCENT), strict=False):
        found[name] = {"color": colour, "linewidth": 2.2, "zorder": 3, "label": readable(name)}
    for name, marker in zip(baselines, MARKERS, strict=False):
        found[name] = {"color": GREY, "linewidth": 1.0, "marker": marker, "label": readable(name)}
    return {name: found[name] for name in models}


def error_bars(value: float, interval: Sequence[float | None]) -> NDArray[np.float64]:
    """How far an interval reaches below and above its value, `(2, 1)`; 0 where there is none."""
    low, high = numbers(interval)
    return np.nan_to_num(np.array([[value - low], [high - value]]))


def each_with_interval(
    lines: Mapping[str, Mapping[str, Any]], model: str, name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of a model on each line its values `(n,)` and error bars `(2, n)`."""
    values = [line[model][name] for line in lines.values()]
    intervals = [line[model][f"{name}_interval"] for line in lines.values()]
    bars = [error_bars(value, interval) for value, interval in zip(values, intervals, strict=True)]
    return np.array(values), np.concatenate(bars, axis=1)
