"""Plots of a training run, from the files in its folder: for the workflow's card, a notebook and the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from recommender.tracking.curves import learning_curves
from recommender.tracking.history import rmse_by_history
from recommender.tracking.scores import ranking_metrics, rating_error
from recommender.tracking.search import importance, optimisation_history
from recommender.tracking.slices import slices

# In the order in which a reader wants them; each returns None where the run has nothing to plot.
PLOTS = {
    "rating-error": rating_error,
    "ranking-metrics": ranking_metrics,
    "rmse-by-history": rmse_by_history,
    "learning-curves": learning_curves,
    "tuning-history": optimisation_history,
    "tuning-importance": importance,
    "tuning-slices": slices,
}


def figures(run_folder: Path) -> list[Figure]:
    """What can be plotted of a run so far: metrics beside the baselines, learning curves, tuning."""
    return [figure for _, figure in _named_figures(run_folder)]


def save_figures(run_folder: Path) -> list[Path]:
    """Write the `figures` to `<run_folder>/plots` as PNG; returns their paths."""
    folder = run_folder / "plots"
    folder.mkdir(exist_ok=True)
    paths = []
    for name, figure in _named_figures(run_folder):
        building, path = folder / f".{name}.png", folder / f"{name}.png"
        figure.savefig(building, format="png", dpi=120)
        building.replace(path)
        paths.append(path)
    return paths


def _named_figures(run_folder: Path) -> Iterator[tuple[str, Figure]]:
    for name, plot in PLOTS.items():
        figure = plot(run_folder)
        if figure is not None:
            yield name, figure
