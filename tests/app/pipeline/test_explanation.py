"""Because you liked."""

from __future__ import annotations

import pytest

from recommender.app.candidates.neighbours import Neighbours
from recommender.app.features import FeatureStore
from recommender.app.pipeline.explanation import REASONS, Explainer
from recommender.app.pipeline.user_now import read_user
from recommender.app.pipeline.wanted import Wanted
from recommender.app.settings import VARIANTS


@pytest.fixture
def explain(filled_store: FeatureStore, catalogue):
    """`explain(liked)`: an explainer for somebody who likes these movies."""
    return lambda liked: Explainer(Neighbours(filled_store), catalogue, filled_store.version(), liked)


def test_reasons_are_the_nearest_neighbours_first(explain, movie_ids: list[str]) -> None:
    # In the table of these tests, movies are near whose places are.
    liked = [movie_ids[place] for place in (30, 44, 39, 42, 70)]
    assert explain(liked).by_neighbours(movie_ids[40]) == (movie_ids[39], movie_ids[42])
    assert REASONS == 2


def test_a_movie_far_from_all_that_is_liked_has_no_reasons(explain, movie_ids: list[str]) -> None:
    assert explain([movie_ids[70]]).by_neighbours(movie_ids[10]) == ()
    assert explain([]).by_neighbours(movie_ids[10]) == ()


def test_by_genres_the_largest_common_share_comes_first(explain, catalogue, movie_ids: list[str]) -> None:
    def jaccard(one: str, other: str) -> float:
        mine, theirs = (set(catalogue.genre_names(catalogue.places[movie])) for movie in (one, other))
        return len(mine & theirs) / len(mine | theirs)

    movie, liked = movie_ids[0], movie_ids[20:40]
    shares = [jaccard(movie, other) for other in liked]
    best = sorted(range(20), key=lambda place: (-shares[place], place))[:REASONS]
    assert explain(liked).by_genres(movie) == tuple(liked[place] for place in best if shares[place] > 0)
    assert explain([]).by_genres(movie) == ()


def test_a_movie_is_liked_as_long_as_its_last_rating_says_so(own_store, movie_ids, now: int) -> None:
    for second, (place, rating) in enumerate([(1, 5.0), (2, 4.0), (3, 5.0), (1, 2.0), (4, 1.0)]):
        own_store.add_rating("somebody", movie_ids[place], rating, now + second)
    user = read_user(own_store, Wanted("somebody", 10, VARIANTS["popular"], now + 9))
    assert user.liked() == [movie_ids[3], movie_ids[2]]
    own_store.add_rating("somebody", movie_ids[1], 5.0, now + 8)
    user = read_user(own_store, Wanted("somebody", 10, VARIANTS["popular"], now + 9))
    assert user.liked() == [movie_ids[1], movie_ids[3], movie_ids[2]]
