"""The user's features in the shape that requests to an exported model have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recommender.app.features import FeatureStore, open_backend, push
from recommender.app.features.movie_state import MovieState
from recommender.app.features.rating_logs import USER_LOG
from recommender.app.features.rating_sums import RatingSums
from recommender.app.features.store_catalogue import StoreCatalogue
from recommender.app.features.user_state import UserState


@pytest.fixture
def store(tmp_path: Path, prepared):
    store = FeatureStore(open_backend(f"sqlite:{tmp_path}/features.sqlite"))
    push(prepared, store.backend)
    yield store
    store.close()


def test_the_exported_model_encodes_stored_features_as_the_store_does(store, prepared) -> None:
    import tensorflow as tf

    from recommender.export.lookups import Lookup
    from recommender.export.movie_names import MovieNames
    from recommender.export.stored_user import StoredUser, stored_user_specs

    names = MovieNames(prepared.movies, np.ones(len(prepared.movies)))
    model = StoredUser(prepared.schema, Lookup(prepared.users["user_id"]), names)
    now = prepared.snapshot("serving").timestamp
    for user_id in (*prepared.users["user_id"][[0, 50, 119]], "nobody"):
        found = store.features_for(user_id, [], now)
        specs = stored_user_specs()
        assert set(found.user) == set(specs)
        request = {name: tf.constant(found.user[name], spec.dtype) for name, spec in specs.items()}
        assert all(specs[name].is_compatible_with(value) for name, value in request.items())
        for name, column in model.encode(request).items():
            np.testing.assert_array_equal(column, found.encoded_user[name], err_msg=name)


def test_lists_are_newest_first_and_named(store, prepared) -> None:
    movies, now = prepared.movies["movie_id"], 1_500_000_000
    for place, rating in enumerate([5.0, 1.0, 4.0]):
        store.add_rating("newcomer", movies[place], rating, now + place)
    user = store.features_for("newcomer", [], now + 10).user
    assert user["history_movies"].tolist() == [[movies[2], movies[1], movies[0]]]
    assert user["history_ratings"].tolist() == [[4.0, 1.0, 5.0]]
    assert user["history_ages"].tolist() == [[8.0, 9.0, 10.0]]
    assert user["liked_movies"].tolist() == [[movies[2], movies[0]]]
    liked = {genre for place in (0, 2) for genre in prepared.movies["genres"][place]}
    assert set(user["top_genres"][0]) <= liked


def test_states_come_back_from_bytes_as_they_were(prepared) -> None:
    catalogue = StoreCatalogue.of(prepared)
    random = np.random.default_rng(3)
    log = np.zeros(40, USER_LOG)
    log["movie"], log["rating"] = random.integers(0, 80, 40), random.integers(1, 6, 40)
    log["timestamp"], log["deviation"] = np.sort(random.integers(0, 15, 40)), random.normal(size=40)
    for rows in (log, log[:1], log[:0]):
        state = UserState.of(rows, catalogue)
        assert UserState.from_bytes(state.to_bytes()).to_bytes() == state.to_bytes()
    movie = MovieState(7, RatingSums(3, 9.5, 31.25, 0.1), RatingSums(1, 4.0, 16.0, -0.3))
    assert MovieState.from_bytes(movie.to_bytes()) == movie
    again = StoreCatalogue.from_bytes(catalogue.to_bytes())
    assert again.schema == catalogue.schema
    assert again.movie_ids == catalogue.movie_ids
    np.testing.assert_array_equal(again.genres, catalogue.genres)
    np.testing.assert_array_equal(again.release_years, catalogue.release_years)
