"""Pictures of what `trust.measure` found; each takes its tree and returns a figure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recommender.trust_plots.exposure import exposure_of_movies
from recommender.trust_plots.groups import errors_by_group
from recommender.trust_plots.likes import like_curves, reliability_diagram
from recommender.trust_plots.new_users import new_users
from recommender.trust_plots.spread import spread_of_predictions

# In the order in which a reader wants them; each returns None where there is nothing to plot.
PLOTS = {
    "calibration": reliability_diagram,
    "like-curves": like_curves,
    "predictions": spread_of_predictions,
    "errors-by-history-and-popularity": lambda found: errors_by_group(found, ("history", "popularity")),
    "fairness": lambda found: errors_by_group(found, ("gender", "age", "occupation")),
    "new-users": new_users,
    "exposure": exposure_of_movies,
}


def save_figures(found: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write every plot to `<folder>/trust-<name>.png`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, plot in PLOTS.items():
        figure = plot(found)
        if figure is not None:
            building, path = folder / f".trust-{name}.png", folder / f"trust-{name}.png"
            figure.savefig(building, format="png", dpi=110)
            building.replace(path)
            paths.append(path)
    return paths
