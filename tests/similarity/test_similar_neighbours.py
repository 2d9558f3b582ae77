"""The nearest by cosine, beside a slow loop; the classical rule; and what tables are measured by."""

from __future__ import annotations

import math

import numpy as np
import pytest

from recommender.similarity import neighbours as module
from recommender.similarity.comparison import co_liked_hit_rate, coverage, genre_agreement
from recommender.similarity.genre import genre_neighbours, jaccard, shrunk_means
from recommender.similarity.neighbours import NONE, Neighbours, nearest


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / math.sqrt(one @ one) / math.sqrt(other @ other))


@pytest.mark.parametrize("block", [1, 7, 1_000])
@pytest.mark.parametrize("length", [3, 50])
def test_neighbours_equal_a_slow_loop(monkeypatch, block: int, length: int) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    vectors = np.random.default_rng(8).normal(size=(40, 6)).astype(np.float32)
    vectors[[0, 13, 39]] = 0
    found = nearest(vectors, length)
    for movie in range(40):
        others = [other for other in range(40) if other != movie and vectors[other].any()]
        if not vectors[movie].any():
            others = []
        exact = {
            other: cosine(vectors[movie].astype(float), vectors[other].astype(float)) for other in others
        }
        best = sorted(others, key=lambda other: -exact[other])[:length]
        listed = found.of(movie, length)
        assert [other for other, _ in listed] == best
        assert [score for _, score in listed] == pytest.approx([exact[other] for other in best], abs=1e-6)


def test_equal_movies_stand_in_the_order_of_their_codes() -> None:
    vectors = np.ones((6, 2), np.float32)
    assert [code for code, _ in nearest(vectors, 5).of(2, 5)] == [0, 1, 3, 4, 5]


@pytest.mark.parametrize("known", [0, 1])
def test_who_is_alone_has_no_neighbours(known: int) -> None:
    vectors = np.zeros((4, 3), np.float32)
    vectors[:known] = 1
    found = nearest(vectors)
    assert (found.codes == NONE).all()
    assert found.of(0, 10) == []


def test_the_classical_rule_equals_a_slow_loop(prepared) -> None:
    genres, ratings = prepared.genre_matrix(), prepared.interactions
    found = genre_neighbours(genres, ratings, 5.0, length=12)
    mean = ratings.rating.astype(float).mean()
    for movie in range(len(genres)):
        mine = set(np.flatnonzero(genres[movie]))
        exact = {}
        for other in range(len(genres)):
            theirs = set(np.flatnonzero(genres[other]))
            given = ratings.rating[ratings.movie == other].astype(float)
            shrunk = (given.sum() + 10 * mean) / (len(given) + 10)
            exact[other] = 0.7 * len(mine & theirs) / len(mine | theirs) + 0.3 * shrunk / 5.0
        best = sorted(set(exact) - {movie}, key=lambda other: -exact[other])[:12]
        listed = found.of(movie, 12)
        assert [score for _, score in listed] == pytest.approx([exact[other] for other in best], abs=1e-6)
        assert [score for _, score in listed] == pytest.approx([exact[code] for code, _ in listed], abs=1e-6)


def test_a_movie_without_genres_has_no_neighbours_by_genre(make_ratings) -> None:
    genres = np.array([[1, 0], [0, 0], [1, 0], [0, 1]], bool)
    found = genre_neighbours(genres, make_ratings([(0, 1, 5.0, 1)], 1, 4), 5.0, length=3)
    assert found.of(1, 3) == []
    assert found.of(0, 1) == [(2, pytest.approx(0.7 + 0.3 * 5.0 / 5.0))]
    assert len({code for code, _ in found.of(3, 3)}) == 3


def test_few_ratings_do_not_make_a_movie_the_best(make_ratings) -> None:
    rows = [(user, 0, 4.0, 1) for user in range(99)] + [(99, 1, 5.0, 1), (98, 2, 1.0, 1)]
    means = shrunk_means(make_ratings(rows, 100, 4))
    assert means[1] == pytest.approx((5 + 10 * 402 / 101) / 11)
    assert means[2] < means[3] < means[1] < 4.2
    assert not shrunk_means(make_ratings([], 1, 2)).any()


def test_overlap_of_genres_is_shared_over_all() -> None:
    some = np.array([[1, 1, 0], [0, 0, 0]], bool)
    others = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1], [0, 0, 0]], bool)
    np.testing.assert_allclose(jaccard(some, others), [[1, 1 / 3, 0, 0], [0, 0, 0, 0]], rtol=1e-6)


@pytest.fixture
def table() -> Neighbours:
    codes = np.array([[1, 2], [0, NONE], [1, 0], [NONE, NONE]], np.int32)
    return Neighbours(codes, np.where(codes == NONE, 0, 1).astype(np.float32))


def test_a_pair_hits_where_the_second_is_among_the_nearest_of_the_first(table) -> None:
    pairs = np.array([[0, 2], [2, 0], [1, 2], [3, 0], [0, 1]], np.int32)
    assert co_liked_hit_rate(table, pairs, k=2) == pytest.approx(3 / 5)
    assert co_liked_hit_rate(table, pairs, k=1) == pytest.approx(1 / 5)
    assert math.isnan(co_liked_hit_rate(table, pairs[:0]))


def test_genre_agreement_is_the_mean_overlap_with_those_listed(table) -> None:
    genres = np.array([[1, 1], [1, 0], [0, 0], [1, 1]], bool)
    overlaps = [1 / 2, 0, 1 / 2, 0, 0]
    assert genre_agreement(table, genres, k=2) == pytest.approx(np.mean(overlaps))
    assert math.isnan(genre_agreement(Neighbours(table.codes[3:], table.scores[3:]), genres[3:]))


def test_coverage_is_of_movies_with_neighbours_and_of_movies_listed(table) -> None:
    assert coverage(table, k=2) == (3 / 4, 3 / 4)
    assert coverage(table, k=1) == (3 / 4, 2 / 4)
