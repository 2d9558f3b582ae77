"""Pictures of a data set: what is rated, by whom and when, and what the split leaves to be known.

Every function returns a matplotlib `Figure` of its own, without pyplot's global state: a notebook shows it, a
card or `figure.savefig(path)` keeps it.
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from recommender.data.interactions import SPLITS, Interactions
from recommender.data.schema import PartSummary
from recommender.evaluation.history import HISTORY_GROUPS, history_group

# From Okabe and Ito's palette, which colour-blind people can tell apart ("Color universal design", 2008).
COLOURS = {"train": "#0072B2", "validation": "#E69F00", "test": "#D55E00"}
SECONDS_PER_WEEK = 7 * 86_400


def plot_ratings(interactions: Interactions) -> Figure:
    """How often each rating is given."""
    figure, axes = _figure("Ratings", "stars", "share of ratings")
    stars, counts = np.unique(interactions.rating, return_counts=True)
    bars = axes.bar([f"{star:g}" for star in stars], counts / counts.sum(), color=COLOURS["train"], width=0.7)
    axes.bar_label(bars, fmt="{:.0%}", padding=2)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.margins(y=0.12)
    return figure


def plot_popularity(interactions: Interactions) -> Figure:
    """Ratings per movie, from the most rated one to the tail, on logarithmic axes."""
    counts = ratings_per_movie(interactions)
    figure, axes = _figure("Popularity tail", "rank of the movie", "ratings")
    axes.loglog(np.arange(1, len(counts) + 1), counts, color=COLOURS["train"])
    tenth = max(1, len(counts) // 10)
    axes.axvspan(1, tenth, color=COLOURS["train"], alpha=0.15, linewidth=0)
    share = counts[:tenth].sum() / counts.sum()
    label = f"a tenth of the movies\nhas {share:.0%} of the ratings"
    axes.text(0.05, 0.08, label, transform=axes.transAxes)
    return figure


def ratings_per_movie(interactions: Interactions) -> NDArray[np.int64]:
    """Numbers of ratings of the rated movies, descending."""
    counts = np.bincount(interactions.movie)
    return np.sort(counts[counts > 0])[::-1]


def plot_arrivals(interactions: Interactions) -> Figure:
    """Ratings per week, coloured by split, and how many users have arrived by then."""
    first = interactions.timestamp.min()
    weeks = (interactions.timestamp - first) / SECONDS_PER_WEEK
    figure, axes = _figure("Arrivals", "weeks since the first rating", "ratings per week")
    edges = [float(week) for week in range(math.ceil(weeks.max()) + 1)]
    parts = [weeks[interactions.split == index] for index in range(len(SPLITS))]
    axes.hist(parts, edges, stacked=True, color=list(COLOURS.values()), label=SPLITS)
    arrived = np.full(interactions.num_users, np.inf)
    np.minimum.at(arrived, interactions.user, weeks)
    arrived = np.sort(arrived[np.isfinite(arrived)])
    users = axes.twinx()
    users.plot(arrived, np.arange(1, len(arrived) + 1), color="black", linewidth=1.2)
    users.set_ylabel("users so far (line)")
    users.set_ylim(bottom=0)
    figure.legend(loc="outside upper center", ncols=len(SPLITS), frameon=False)
    return figure


def plot_history_length(user_counts: dict[str, NDArray[np.integer]]) -> Figure:
    """How many earlier ratings the user has at each rating, by split; values are those of `user_count`."""
    figure, axes = _figure("What is known of the user", "earlier ratings of the user", "share of the split")
    width = 0.8 / len(user_counts)
    for place, (split, counts) in enumerate(user_counts.items()):
        shares = np.bincount(history_group(counts), minlength=len(HISTORY_GROUPS)) / len(counts)
        positions = np.arange(len(HISTORY_GROUPS)) + (place - (len(user_counts) - 1) / 2) * width
        axes.bar(positions, shares, width, color=COLOURS[split], label=split)
    axes.set_xticks(range(len(HISTORY_GROUPS)), HISTORY_GROUPS)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.legend(frameon=False)
    return figure


def plot_unseen(parts: dict[str, PartSummary]) -> Figure:
    """The share of each held-out split's ratings by users, and of movies, that training has not seen."""
    figure, axes = _figure("Unseen in training", "", "share of the split")
    held_out = [name for name in parts if name != "train"]
    for place, name in enumerate(held_out):
        part = parts[name]
        positions = np.arange(2) + (place - (len(held_out) - 1) / 2) * 0.4
        bars = axes.bar(
            positions,
            [part.unseen_user_share, part.unseen_movie_share],
            0.38,
            color=COLOURS[name],
            label=name,
        )
        axes.bar_label(bars, fmt="{:.0%}", padding=2)
    axes.set_xticks([0, 1], ["by unseen users", "of unseen movies"])
    axes.set_ylim(0, 1.1)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.legend(frameon=False)
    return figure


def _figure(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    """A small empty figure with its labels."""
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
