"""The pictures of a data set show its numbers."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.figure import Figure

from recommender.data.interactions import Interactions
from recommender.data.schema import PartSummary
from recommender.data_plots import (
    plot_arrivals,
    plot_history_length,
    plot_popularity,
    plot_ratings,
    plot_unseen,
)

WEEK = 7 * 86_400


@pytest.fixture
def interactions() -> Interactions:
    """Eight ratings in three weeks; user 3 and movie 2 have none."""
    return Interactions(
        user=np.array([0, 0, 0, 1, 1, 1, 2, 2], np.int32),
        movie=np.array([0, 1, 3, 0, 1, 3, 0, 0], np.int32),
        rating=np.array([4, 4, 5, 1, 4, 5, 4, 5], np.float32),
        timestamp=np.array([0, 0, 1, WEEK, WEEK + 1, WEEK + 2, 2 * WEEK, 3 * WEEK - 1], np.int64) + 10**9,
        split=np.array([0, 0, 0, 1, 1, 1, 2, 2], np.int8),
        num_users=4,
        num_movies=4,
    )


def heights(figure: Figure) -> list[float]:
    return [bar.get_height() for bar in figure.axes[0].patches]


def assert_can_be_drawn(figure: Figure) -> None:
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    assert stream.getvalue().startswith(b"\x89PNG")


def test_ratings_are_shown_as_shares(interactions: Interactions):
    figure = plot_ratings(interactions)
    assert heights(figure) == pytest.approx([1 / 8, 4 / 8, 3 / 8])
    assert_can_be_drawn(figure)


def test_popularity_goes_from_the_most_rated_movie_down_and_leaves_unrated_ones_out(
    interactions: Interactions,
):
    figure = plot_popularity(interactions)
    assert figure.axes[0].lines[0].get_ydata().tolist() == [4, 2, 2]
    assert "50%" in figure.axes[0].texts[0].get_text()
    assert_can_be_drawn(figure)


def test_arrivals_count_ratings_per_week_by_split_and_users_once(interactions: Interactions):
    figure = plot_arrivals(interactions)
    assert heights(figure) == [3, 0, 0, 0, 3, 0, 0, 0, 2]  # three weeks of each split
    line = figure.axes[1].lines[0]
    assert line.get_xdata().tolist() == [0, 1, 2]
    assert line.get_ydata().tolist() == [1, 2, 3]
    assert_can_be_drawn(figure)


def test_history_length_is_a_share_of_each_split():
    counts = {"train": np.array([0, 0, 3, 150]), "test": np.array([20, 99])}
    figure = plot_history_length(counts)
    assert heights(figure) == pytest.approx([0.5, 0.25, 0, 0, 0.25, 0, 0, 0, 1, 0])
    assert_can_be_drawn(figure)


def test_unseen_shares_are_shown_for_the_held_out_splits_only():
    def part(users: float, movies: float) -> PartSummary:
        return PartSummary(
            rows=1, users=1, movies=1, unseen_user_share=users, unseen_movie_share=movies,
            first_timestamp=0, last_timestamp=1,
        )  # fmt: skip

    figure = plot_unseen({"train": part(0, 0), "validation": part(0.8, 0.1), "test": part(0.9, 0.2)})
    assert heights(figure) == pytest.approx([0.8, 0.1, 0.9, 0.2])
    assert_can_be_drawn(figure)
