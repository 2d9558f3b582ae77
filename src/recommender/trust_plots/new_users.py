"""How fast a new user becomes known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recommender.tracking.style import panels
from recommender.trust_plots.lines import each_with_interval, styles


def new_users(found: Mapping[str, Any]) -> Figure | None:
    """Errors and lists by the number of ratings that are known of a new user."""
    rated, listed = found["new_users"], found["lists"]["new_users"]
    if "known" not in rated or "known" not in listed:
        return None
    title = "What is known of a new user: the last ratings, with and without demographics"
    figure, (errors, lists) = panels(2, title, (4.8, 4.2), 2)
    models = list(next(iter(rated["known"].values())))
    for place, (name, style) in enumerate(styles(models).items()):
        values, bars = each_with_interval(rated["known"], name, "rmse")
        _line(errors, place, values, bars, style)
    k = found["lists"]["k"]
    for place, (name, style) in enumerate(styles(list(next(iter(listed["known"].values())))).items()):
        lines = [line[name] for line in listed["known"].values()]
        error = [line["standard_errors"][f"ndcg@{k}"] for line in lines]
        _line(lists, place, np.array([line[f"ndcg@{k}"] for line in lines]), np.array([error, error]), style)
    errors.set(title=f"RMSE of {rated['ratings']:,} ratings, 95 % intervals", ylabel="RMSE")
    lists.set(title=f"NDCG@{k} of {listed['users']} users, standard errors", ylabel=f"NDCG@{k}")
    for axes in (errors, lists):
        axes.set_xticks(range(len(rated["known"])), list(rated["known"]))
        axes.set_xlabel("ratings known")
        axes.title.set_fontsize(10)
        axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    return figure


def _line(axes: Axes, place: int, values: np.ndarray, bars: np.ndarray, style: dict[str, Any]) -> None:
    """Lines beside each other, so that their error bars can be told apart."""
    places = np.arange(len(values)) + 0.06 * (place - 1)
    axes.errorbar(places, values, yerr=bars, elinewidth=1, **{"marker": "o", **style})
