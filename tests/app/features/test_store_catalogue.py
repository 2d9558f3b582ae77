"""What the store says of movies as of the push, beside a plain loop over the ratings."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from rated_rows import interactions_of
from recommender.app.features.rated_movies import RatedMovies
from recommender.app.features.store_catalogue import StoreCatalogue
from recommender.data.prepared import Prepared

DAY = 86_400


@pytest.fixture
def linked(prepared: Prepared) -> Prepared:
    """The prepared data, of which some movies have links and one has a title of markup."""
    copy = replace(prepared)
    movies = prepared.movies.copy()
    movies["imdb_url"] = [f"https://imdb/{place}" if place % 2 else None for place in range(len(movies))]
    movies["tmdb_url"] = [f"https://tmdb/{place}" if place % 3 else None for place in range(len(movies))]
    movies.loc[3, "title"] = "<script>é🎬</script>"
    copy.__dict__["movies"] = movies
    return copy


def test_counts_means_and_popularity_equal_a_plain_loop(prepared: Prepared) -> None:
    every = prepared.interactions
    rated = RatedMovies.of(every, half_life_days=2.0)
    last = max(every.timestamp)
    for movie in range(every.num_movies):
        rows = [row for row in range(len(every)) if every.movie[row] == movie]
        assert rated.counts[movie] == len(rows)
        if rows:
            mean = sum(float(every.rating[row]) for row in rows) / len(rows)
            assert rated.means[movie] == pytest.approx(mean)
        else:
            assert np.isnan(rated.means[movie])
        recent = sum(0.5 ** ((last - every.timestamp[row]) / DAY / 2.0) for row in rows)
        assert rated.recent_popularity[movie] == pytest.approx(recent, rel=1e-5)
    assert rated.ends_at == last


def test_top_raters_are_the_highest_and_among_equals_the_newest(prepared: Prepared) -> None:
    every = prepared.interactions
    catalogue = StoreCatalogue.of(prepared)
    users = prepared.users["user_id"]
    for movie in range(every.num_movies):
        rows = [row for row in range(len(every)) if every.movie[row] == movie]
        rows.sort(key=lambda row: (-every.rating[row], -every.timestamp[row], row))
        assert catalogue.top_raters(movie) == [users[every.user[row]] for row in rows[:10]]


def test_few_raters_are_listed_and_nobody_is_made_up() -> None:
    rated = RatedMovies.of(interactions_of([(2, 1, 3.0, 5), (0, 1, 5.0, 4), (1, 1, 3.0, 6)], 3, 3), 3.0)
    assert rated.top_raters[1].tolist() == [0, 1, 2] + [-1] * 7
    assert (rated.top_raters[[0, 2]] == -1).all()


def test_a_catalogue_without_ratings_counts_none(prepared: Prepared) -> None:
    nothing = prepared.interactions.where(np.zeros(len(prepared.interactions), bool))
    catalogue = StoreCatalogue.from_bytes(StoreCatalogue.of(prepared, nothing).to_bytes())
    assert catalogue.ends_at == 0
    assert not catalogue.rating_counts.any()
    assert not catalogue.recent_popularity.any()
    assert np.isnan(catalogue.rating_means).all()
    assert catalogue.top_raters(0) == []


def test_a_catalogue_comes_back_from_bytes_as_it_was(linked: Prepared) -> None:
    before = int(time.time())
    catalogue = StoreCatalogue.of(linked)
    again = StoreCatalogue.from_bytes(catalogue.to_bytes())
    assert again.to_bytes() == catalogue.to_bytes()
    assert again.schema == catalogue.schema
    assert before <= again.pushed_at <= before + 600
    assert again.ends_at == linked.interactions.timestamp.max()
    assert again.titles == linked.movies["title"].tolist()
    assert again.movie_ids == linked.movies["movie_id"].tolist()
    for name in ("genres", "release_years", "rating_counts", "rating_means", "recent_popularity"):
        np.testing.assert_array_equal(getattr(again, name), getattr(catalogue, name), err_msg=name)


def test_genres_years_and_links_are_readable(linked: Prepared) -> None:
    catalogue = StoreCatalogue.from_bytes(StoreCatalogue.of(linked).to_bytes())
    for code, movie in enumerate(linked.movies.itertuples()):
        assert sorted(catalogue.genre_names(code)) == sorted(movie.genres)
        assert catalogue.release_year(code) == movie.release_year
        assert catalogue.genre_matrix[code].sum() == len(movie.genres)
    assert catalogue.links(0) == {}
    assert catalogue.links(1) == {"imdb": "https://imdb/1", "tmdb": "https://tmdb/1"}
    assert catalogue.links(3) == {"imdb": "https://imdb/3"}
    assert catalogue.titles[3] == "<script>é🎬</script>"
