"""Which version to deploy: the latest, one by its number, or the best by a metric."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from recommender.deployment.settings import BestBySettings, ModelSettings
from recommender.errors import ConfigError, RecommenderError
from recommender.versions import Version, list_versions, resolve

LOWER_IS_BETTER = {"rmse", "mae", "log_loss"}
HIGHER_IS_BETTER = {"auc", "recall", "precision", "ndcg", "hit_rate", "mrr", "map", "accuracy"}


def select_version(settings: ModelSettings, base: Path) -> Version:
    """The version under `base` that the settings ask for; raises `RecommenderError` where there is none."""
    if settings.version == "best":
        return best_version(settings.best_by, base)
    return resolve(base, None if settings.version == "latest" else int(settings.version))


def best_version(best_by: BestBySettings, base: Path) -> Version:
    """The version with the best value of a metric, the newest of equals; those without the value are out.

    Compares what each `metrics.json` says, also where versions were measured on different data.
    """
    sign = -1 if lower_is_better(best_by.metric) else 1
    resolve(base)  # says what to do where there is no version at all
    values = [(sign * value, version) for version, value in _values(best_by, base) if math.isfinite(value)]
    if not values:
        wanted = f"models.{best_by.model}.{best_by.split}.{best_by.metric}"
        raise RecommenderError(f"{base}: no version has {wanted} in its metrics.json")
    return max(values)[1]


def lower_is_better(metric: str) -> bool:
    """Which direction of a metric is better, with or without its @k; raises `ConfigError` for no such."""
    name = metric.partition("@")[0]
    if name not in LOWER_IS_BETTER | HIGHER_IS_BETTER:
        known = ", ".join(sorted(LOWER_IS_BETTER | HIGHER_IS_BETTER))
        raise ConfigError(f"model.best_by.metric: must be one of {known} (@k), received {metric!r}")
    return name in LOWER_IS_BETTER


def _values(best_by: BestBySettings, base: Path) -> list[tuple[Version, float]]:
    found = []
    for version in list_versions(base):
        if not (version.folder / "metrics.json").exists():  # made elsewhere
            continue
        value: Any = version.metrics()
        for key in ("models", best_by.model, best_by.split, best_by.metric):
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, (int, float)):
            found.append((version, float(value)))
    return found
