"""Filling a store: all or nothing for readers, no live rating lost, nothing left behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from click.testing import CliRunner

from recommender.app.features import FeatureStore, ReplacedError, UnknownModelError, open_backend, push
from recommender.app.features.redis_backend import RedisBackend
from recommender.cli.features import features
from recommender.config import Settings
from recommender.data.prepared import Prepared
from recommender.errors import ConfigError
from recommender.similarity import METHODS
from recommender.similarity.neighbours import Neighbours

MINUTE = 60


class KilledError(Exception):
    """Stands for the end of a process in the middle of a push."""


@pytest.fixture
def store(address: str) -> Iterator[FeatureStore]:
    store = FeatureStore(open_backend(address))
    yield store
    store.close()


@pytest.fixture
def now(prepared: Prepared) -> int:
    return int(prepared.interactions.timestamp.max()) + MINUTE


@pytest.fixture
def count(store: FeatureStore, now: int) -> Callable[[str], int]:
    """How many ratings a user's features count."""
    return lambda user_id: int(store.features_for(user_id, [], now + MINUTE).user["user_count"][0])


def stored_versions(store: FeatureStore) -> set[int]:
    """The versions of which anything is kept."""
    if isinstance(store.backend, RedisBackend):
        keys = store.backend.redis.client.keys("recommender:v*")
        return {int(key.split(b":")[1][1:]) for key in keys}
    tables = ("versions", "blobs", "users", "movies", "user_log", "movie_log")
    query = " UNION ".join(f"SELECT version FROM {table}" for table in tables)
    with sqlite3.connect(store.backend.path) as connection:
        return {version for (version,) in connection.execute(query)}


def kill_midway(prepared: Prepared, store: FeatureStore, **options) -> None:
    def stop(done: int) -> None:
        raise KilledError

    with pytest.raises(KilledError):
        push(prepared, store.backend, on_progress=stop, **options)


def test_a_push_that_is_killed_leaves_the_old_features_and_the_next_one_starts_over(
    store, prepared, now, count
) -> None:
    first = push(prepared, store.backend, until=now - 10**8)
    user_id = prepared.users["user_id"][int(prepared.interactions.user[-1])]
    before = count(user_id)
    kill_midway(prepared, store)
    assert store.features_for(user_id, [], now).version == first
    assert count(user_id) == before
    assert len(stored_versions(store)) == 2
    last = push(prepared, store.backend)
    assert stored_versions(store) == {last}
    assert count(user_id) == (prepared.interactions.user == prepared.interactions.user[-1]).sum()


def test_a_push_that_is_killed_leaves_the_old_catalogue_and_similar_movies(store, prepared) -> None:
    movie_ids = prepared.movies["movie_id"].tolist()
    tables = [
        Neighbours(np.full((len(movie_ids), 1), other, np.int32), np.ones((len(movie_ids), 1), np.float32))
        for other in (5, 6, 7)
    ]
    push(
        prepared,
        store.backend,
        until=int(np.median(prepared.interactions.timestamp)),
        similar={"one": tables[0]},
    )
    ended = store.catalogue().ends_at
    kill_midway(prepared, store, similar={"one": tables[1], "two": tables[1]})
    again = FeatureStore(store.backend)
    assert again.neighbours("one", movie_ids[0], 1) == [(movie_ids[5], 1.0)]
    assert again.catalogue().ends_at == ended < prepared.interactions.timestamp.max()
    with pytest.raises(UnknownModelError):
        again.neighbours("two", movie_ids[0], 1)
    push(prepared, store.backend, similar={"one": tables[2]})
    assert store.neighbours("one", movie_ids[0], 1) == [(movie_ids[7], 1.0)]
    assert len(stored_versions(store)) == 1


def test_readers_see_the_old_version_until_all_of_the_new_one_is_there(store, prepared, now) -> None:
    first = push(prepared, store.backend)
    user_ids, movie_ids = prepared.users["user_id"], prepared.movies["movie_id"].tolist()
    seen = []

    def look(done: int) -> None:
        found = store.features_for(user_ids[0], movie_ids, now)
        seen.append((found.version, int(found.movies["movie_count"].sum())))

    second = push(prepared, store.backend, on_progress=look)
    assert set(seen) == {(first, len(prepared.interactions))}
    assert store.features_for(user_ids[0], [], now).version == second > first


def test_progress_counts_every_user_and_movie(store, prepared) -> None:
    done: list[int] = []
    push(prepared, store.backend, on_progress=done.append)
    assert sum(done) == len(prepared.users) + len(prepared.movies)


def test_live_ratings_outlive_a_push_of_data_that_lacks_them(store, prepared, now, count) -> None:
    movies, user_id = prepared.movies["movie_id"], prepared.users["user_id"][0]
    push(prepared, store.backend)
    before = store.features_for(user_id, movies.tolist(), now + MINUTE)
    taken_back = next(one for one in store.ratings_of(user_id) if one.movie_id != movies[0])
    store.add_rating(user_id, movies[0], 2.0, now)
    store.add_rating("newcomer", movies[1], 5.0, now)
    store.describe_user("newcomer", age=44)
    store.describe_user(user_id, occupation="poet")
    store.remove_rating(user_id, taken_back.movie_id)
    for movie_id in movies[2:5]:
        store.add_rating("fickle", movie_id, 3.0, now)
        store.remove_rating("fickle", movie_id)
    expected = store.features_for(user_id, movies.tolist(), now + MINUTE)
    for _ in range(2):
        push(prepared, store.backend)
        after = store.features_for(user_id, movies.tolist(), now + MINUTE)
        for name, column in expected.movies.items():
            np.testing.assert_allclose(after.movies[name], column, atol=1e-6, err_msg=name)
        assert taken_back not in store.ratings_of(user_id)
        assert count(user_id) == before.user["user_count"][0]
        assert after.encoded_user["user_id"] == before.encoded_user["user_id"]
        assert store.features_for("newcomer", [], now + 1).user["age"] == 44
        assert count("newcomer") == 1
        assert count("fickle") == 0
        assert store.features_for(user_id, [], now).user["occupation"] == "poet"
    assert len(store.backend.events()) == 5


def test_live_ratings_that_the_data_holds_by_now_count_once(store, prepared, now, count) -> None:
    every = prepared.interactions
    order = np.argsort(every.timestamp, kind="stable")[-20:]
    push(prepared, store.backend, until=int(every.timestamp[order[0]]))
    for row in order:
        user, movie = (
            prepared.users["user_id"][every.user[row]],
            prepared.movies["movie_id"][every.movie[row]],
        )
        store.add_rating(user, movie, float(every.rating[row]), int(every.timestamp[row]))
    push(prepared, store.backend)
    for code, user_id in enumerate(prepared.users["user_id"]):
        assert count(user_id) == (every.user == code).sum()
    assert store.backend.events() == []


def test_ratings_that_come_in_during_a_push_are_in_the_new_version(
    store, address, prepared, now, count
) -> None:
    movies = prepared.movies["movie_id"]
    push(prepared, store.backend)
    other = FeatureStore(open_backend(address))
    given = iter(range(1_000))

    def rate(done: int) -> None:
        place = next(given)
        other.add_rating("busy", movies[place], 4.0, now + place)

    push(prepared, store.backend, on_progress=rate)
    other.close()
    assert count("busy") == next(given) > 1
    assert len(store.ratings_of("busy")) == count("busy")


def test_ratings_that_come_in_while_others_are_carried_over_are_not_lost(
    store, address, prepared, now, count, monkeypatch
) -> None:
    push(prepared, store.backend)
    other = FeatureStore(open_backend(address))
    switch, given = store.backend.switch, iter(range(3))

    def rate_just_before(*arguments) -> bool:
        if (place := next(given, None)) is not None:
            other.add_rating("late", prepared.movies["movie_id"][place], 4.0, now)
        return switch(*arguments)

    monkeypatch.setattr(store.backend, "switch", rate_just_before)
    push(prepared, store.backend)
    other.close()
    assert count("late") == 3


def test_a_push_that_begins_later_ends_the_earlier_one(store, address, prepared, now) -> None:
    other = open_backend(address)
    later = []

    def overtake(done: int) -> None:
        if not later:
            later.append(push(prepared, other))

    with pytest.raises(ReplacedError, match="version 1 of the features was ended by a push that began later"):
        push(prepared, store.backend, on_progress=overtake)
    assert store.features_for(prepared.users["user_id"][0], [], now).version == later[0] == 2
    store.backend.remove_old()
    assert stored_versions(store) == {2}
    other.close()


def test_ratings_that_were_frozen_out_of_the_features_are_not_pushed(
    settings: Settings, store, now, prepared
) -> None:
    from recommender.data.prepare import prepare

    frozen = settings.features.model_copy(update={"mode": "frozen"})
    data = prepare(settings.model_copy(update={"features": frozen}))
    push(data, store.backend)
    movies = data.movies["movie_id"].tolist()
    snapshot = data.snapshot("serving")
    found = store.features_for(data.users["user_id"][0], movies, snapshot.timestamp)
    np.testing.assert_array_equal(found.movies["movie_count"], snapshot.movies["movie_count"])
    assert found.movies["movie_count"].sum() == (data.interactions.split == 0).sum()


def test_the_command_fills_a_store(settings: Settings, tmp_path, prepared, now) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text("data: {dataset: synthetic, synthetic: {users: 120, movies: 80, ratings: 3000}}")
    address = f"sqlite:{tmp_path}/new/features.sqlite"
    home = f"data.home={settings.data.home}"
    arguments = ["push", "--config", str(config), home, "--store", address]
    for version in (1, 2):
        result = CliRunner().invoke(features, arguments, catch_exceptions=False)
        assert result.exit_code == 0
        assert f"version {version} of the features: 120 users and 80 movies" in result.output
    assert "similar movies by item2vec, graph, genre" in result.output
    store = FeatureStore(open_backend(address))
    assert store.is_known(prepared.users["user_id"][0])
    movie_ids = prepared.movies["movie_id"].tolist()
    for model in METHODS:
        similar = store.neighbours(model, movie_ids[0], 5)
        assert len({movie_id for movie_id, _ in similar} & set(movie_ids[1:])) == 5
    store.close()


def test_the_command_makes_the_tables_asked_for_and_refuses_others(
    settings: Settings, tmp_path, prepared
) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text("data: {dataset: synthetic, synthetic: {users: 120, movies: 80, ratings: 3000}}")
    address = f"sqlite:{tmp_path}/features.sqlite"
    arguments = ["push", "--config", str(config), f"data.home={settings.data.home}", "--store", address]
    for similar, made in (("genre", ["genre"]), ("", [])):
        CliRunner().invoke(features, [*arguments, "--similar", similar], catch_exceptions=False)
        store = FeatureStore(open_backend(address))
        version = store.version()
        assert [name for name in METHODS if store.backend.blob(version, f"similar-{name}")] == made
        store.close()
    with pytest.raises(ConfigError, match="similar: must be of item2vec, graph, genre, received 'magic'"):
        CliRunner().invoke(features, [*arguments, "--similar", "genre,magic"], catch_exceptions=False)
