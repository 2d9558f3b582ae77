"""One list out of several channels'."""

from __future__ import annotations

import pytest

from recommender.app.pipeline.merging import Candidate, merge

WEIGHTS = {"retrieval": 3, "recent": 1}


class Open:
    """Asked where the movies of `closed` are not open."""

    def __init__(self, *closed: str) -> None:
        self.closed = closed

    def is_open(self, movie_id: str) -> bool:
        return movie_id not in self.closed


def scored(*movie_ids: str) -> list[tuple[str, float]]:
    return [(movie_id, 1.0 / place) for place, movie_id in enumerate(movie_ids, start=1)]


def test_scores_are_weighted_reciprocal_ranks() -> None:
    merged = merge({"retrieval": scored("a", "b"), "recent": scored("b", "c")}, WEIGHTS, Open())
    assert [movie.movie_id for movie in merged] == ["b", "a", "c"]
    expected = [0.75 / 62 + 0.25 / 61, 0.75 / 61, 0.25 / 62]
    assert [movie.score for movie in merged] == pytest.approx(expected)


def test_a_movie_of_several_channels_is_there_once_and_remembers_all_of_them() -> None:
    merged = merge({"retrieval": scored("a"), "recent": scored("a", "b")}, WEIGHTS, Open())
    assert [(movie.movie_id, movie.channels) for movie in merged] == [
        ("a", ("retrieval", "recent")),
        ("b", ("recent",)),
    ]


def test_one_channel_keeps_its_order() -> None:
    ids = [str(number) for number in range(100)]
    merged = merge({"recent": scored(*ids)}, {"recent": 100}, Open())
    assert [movie.movie_id for movie in merged] == ids


def test_what_is_not_open_is_never_there() -> None:
    assert merge({"recent": scored("a", "b")}, {"recent": 1}, Open("a")) == [
        Candidate("b", pytest.approx(1 / 62), ("recent",))
    ]


def test_a_channel_that_did_not_answer_leaves_the_others_in_their_order() -> None:
    assert [movie.movie_id for movie in merge({"recent": scored("a", "b")}, WEIGHTS, Open())] == ["a", "b"]
