"""What is particular to SQLite and to Redis, and how a store is addressed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from recommender.app.features import FeatureStore, StoreUnavailableError, open_backend, push
from recommender.app.features.redis_backend import RedisBackend
from recommender.app.features.store_catalogue import LAYOUT
from recommender.errors import ConfigError
from recommender.similarity.neighbours import Neighbours

NOW = 1_500_000_000


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("data/features.sqlite", "'data/features.sqlite'"),
        ("sqlite:", "'sqlite:'"),
        ("http://localhost", "'http://localhost'"),
        ("redis://user:secret@host:port/0", "'redis://***@host:port/0'"),
    ],
)
def test_an_address_that_is_none_is_one_clear_error(address: str, shown: str) -> None:
    with pytest.raises(ConfigError) as error:
        open_backend(address)
    assert str(error.value).startswith("store: ")
    assert str(error.value).endswith(f"received {shown}")


def test_what_cannot_be_used_says_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no database, it is a text")
    with pytest.raises(
        StoreUnavailableError, match="text: the feature store cannot be used: file is not a database"
    ):
        open_backend(f"sqlite:{tmp_path}/text")
    with pytest.raises(StoreUnavailableError, match="text/features: the feature store cannot be used"):
        open_backend(f"sqlite:{tmp_path}/text/features")
    nobody = open_backend("redis://user:secret@127.0.0.1:9/0")
    with pytest.raises(StoreUnavailableError, match=r"redis at 127\.0\.0\.1: .*") as error:
        nobody.read("1", [])
    assert "secret" not in str(error.value)


def test_another_layout_is_not_misread(tmp_path: Path, prepared) -> None:
    path = tmp_path / "features.sqlite"
    store = FeatureStore(open_backend(f"sqlite:{path}"))
    push(prepared, store.backend)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE versions SET catalogue = ?", (b'{"layout":1,"schema":{},"movie_ids":[]}',))
    with pytest.raises(StoreUnavailableError, match=f"has layout 1, this program reads layout {LAYOUT}"):
        store.catalogue()
    store.close()


def test_sqlite_readers_do_not_wait_for_a_writer(tmp_path: Path, prepared) -> None:
    store = FeatureStore(open_backend(f"sqlite:{tmp_path}/features.sqlite"))
    push(prepared, store.backend)
    with sqlite3.connect(tmp_path / "features.sqlite", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM users")
        assert store.is_known(prepared.users["user_id"][0])
        other.execute("ROLLBACK")
    store.close()


def test_sqlite_waits_for_the_disk_before_a_rating_is_answered(tmp_path: Path, prepared) -> None:
    store = FeatureStore(open_backend(f"sqlite:{tmp_path}/features.sqlite"))
    push(prepared, store.backend)
    asked: list[str] = []
    store.backend._connections.get().set_trace_callback(asked.append)
    store.add_rating("newcomer", prepared.movies["movie_id"][0], 4.0, NOW)
    assert asked[0] == "PRAGMA synchronous = FULL"
    assert asked[-1] == "COMMIT"
    assert not any("NORMAL" in statement for statement in asked)
    store.close()


def test_keys_in_redis_are_those_of_the_documentation(redis_address: str, prepared) -> None:
    store = FeatureStore(open_backend(redis_address))
    table = Neighbours(np.zeros((80, 1), np.int32), np.zeros((80, 1), np.float32))
    version = push(prepared, store.backend, similar={"item2vec": table})
    user, movie = prepared.users["user_id"][0], prepared.movies["movie_id"][0]
    store.add_rating(user, movie, 4.0, NOW)
    client = store.backend.redis.client
    found = {key.decode(): client.type(key).decode() for key in client.scan_iter()}
    base = f"recommender:v{version}"
    assert {key: kind for key, kind in found.items() if not key.startswith(f"{base}:")} == {
        "recommender:current": "string",
        "recommender:last": "string",
        "recommender:events": "list",
    }
    assert set(client.hgetall(f"{base}:user:{user}")) == {b"profile", b"state"}
    assert set(client.hgetall(f"{base}:movie:{movie}")) == {b"state"}
    assert found[f"{base}:user-log:{user}"] == found[f"{base}:movie-log:{movie}"] == "string"
    assert found[f"{base}:catalogue"] == found[f"{base}:blob:similar-item2vec"] == "string"
    store.close()


def test_users_in_redis_expire_and_a_rating_prolongs_their_stay(redis_address: str, prepared) -> None:
    store = FeatureStore(RedisBackend(redis_address, user_ttl=1_000))
    push(prepared, store.backend)
    user, movie = prepared.users["user_id"][0], prepared.movies["movie_id"][0]
    client = store.backend.redis.client
    keys = [f"recommender:v1:{kind}:{user}" for kind in ("user", "user-log")]
    assert all(0 < client.ttl(key) <= 1_000 for key in keys)
    for key in keys:
        client.expire(key, 10)
    store.add_rating(user, movie, 4.0, NOW)
    assert all(900 < client.ttl(key) <= 1_000 for key in keys)
    assert client.ttl(f"recommender:v1:movie:{movie}") == client.ttl("recommender:events") == -1
    store.add_rating("newcomer", movie, 4.0, NOW)
    assert 900 < client.ttl("recommender:v1:user-log:newcomer") <= 1_000
    store.close()


def test_an_expired_user_is_unknown_until_the_next_push(redis_address: str, prepared) -> None:
    store = FeatureStore(open_backend(redis_address))
    push(prepared, store.backend)
    movie = prepared.movies["movie_id"][0]
    store.add_rating("newcomer", movie, 4.0, NOW)
    store.backend.redis.client.delete("recommender:v1:user:newcomer", "recommender:v1:user-log:newcomer")
    assert store.features_for("newcomer", [movie], NOW + 1).user["user_count"] == 0
    assert store.remove_rating("newcomer", movie) == 0
    push(prepared, store.backend)
    assert store.features_for("newcomer", [movie], NOW + 1).user["user_count"] == 1
    store.close()


def test_two_recommenders_share_one_redis_under_their_prefixes(redis_address: str, prepared) -> None:
    one, other = (FeatureStore(RedisBackend(redis_address, prefix=prefix)) for prefix in ("one", "other"))
    push(prepared, one.backend)
    push(prepared, other.backend)
    one.add_rating("newcomer", prepared.movies["movie_id"][0], 4.0, NOW)
    assert one.is_known("newcomer")
    assert not other.is_known("newcomer")
    one.close()
    other.close()
