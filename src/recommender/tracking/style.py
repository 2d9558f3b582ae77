"""What all plots share: colours that colour-blind people can tell apart, and plain axes."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette ("Color universal design", 2008) on grey.
OURS = "#0072B2"
ACCENT = "#D55E00"
GREY = "#767676"
DARK = "#333333"
# Grey lines are told apart by their markers.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

# Every other model in metrics.json is ours.
BASELINES = (
    "global_mean",
    "item_mean",
    "user_item_bias",
    "running_bias",
    "popularity",
    "item_knn",
    "ials",
    "ease",
)

PANEL = (3.4, 2.6)  # inches
WIDEST = 3  # panels beside each other


def is_baseline(model: str) -> bool:
    """Whether a model is there only to be compared with."""
    return model.startswith(BASELINES)


def readable(name: str) -> str:
    """A name from a file as text."""
    return name.replace("_", " ")


def panels(
    count: int, title: str, size: tuple[float, float] = PANEL, widest: int = WIDEST
) -> tuple[Figure, list[Axes]]:
    """A figure with so many axes of a size in inches, at most `widest` beside each other, under one title."""
    columns = min(count, widest)
    rows = -(-count // columns)
    width, height = max(size[0] * columns, 6.4), size[1] * rows + 0.6
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.08)  # type: ignore[union-attr,call-arg]
    figure.suptitle(title, fontsize=11, color=DARK)
    every: list[Axes] = list(np.ravel(figure.subplots(rows, columns, squeeze=False)))
    for axes in every:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=9, colors=DARK)
        axes.set_axisbelow(True)
    for empty in every[count:]:
        empty.set_axis_off()
    return figure, every[:count]
