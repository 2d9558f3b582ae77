"""What was answered is there afterwards: kill -9 of the writer, kill -9 of Redis."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from recommender.app.features import FeatureStore, StoreUnavailableError, open_backend, push
from recommender.data.prepared import Prepared

SCRIPT = Path(__file__).with_name("rate_forever.py")
START = 1_500_000_000


def rate_until_killed(address: str, prepared: Prepared, at_least: int, also_kill=lambda: None) -> int:
    """Kill -9 a process that rates; returns how many ratings it was told are stored."""
    command = [sys.executable, str(SCRIPT), address, prepared.movies["movie_id"][0], str(START)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if int(line) >= at_least:
                break
        also_kill()
        process.kill()
        return max([int(line), *map(int, process.stdout.read().split())])


def check_nothing_is_lost(address: str, prepared: Prepared, answered: int) -> None:
    store = FeatureStore(open_backend(address))
    stored = len(store.ratings_of("killed"))
    assert answered <= stored <= answered + 1  # the last one may be stored and not answered
    movies = [prepared.movies["movie_id"][0]]
    features = store.features_for("killed", movies, START + 10**6)
    assert features.user["user_count"] == stored
    assert features.movies["movie_count"] == (prepared.interactions.movie == 0).sum() + stored
    assert len(store.backend.events()) == stored
    store.close()


@pytest.mark.parametrize("at_least", [1, 17])
def test_sqlite_keeps_what_it_answered_when_the_writer_is_killed(prepared, tmp_path, at_least: int) -> None:
    address = f"sqlite:{tmp_path}/features.sqlite"
    backend = open_backend(address)
    push(prepared, backend)
    answered = rate_until_killed(address, prepared, at_least)
    check_nothing_is_lost(address, prepared, answered)
    backend.close()
    check_nothing_is_lost(address, prepared, answered)


def test_redis_keeps_what_it_answered_when_it_is_killed(redis_address, redis_server, prepared) -> None:
    backend = open_backend(redis_address)
    push(prepared, backend)
    backend.close()
    answered = rate_until_killed(redis_address, prepared, 25, also_kill=redis_server.kill)
    redis_server.start()
    check_nothing_is_lost(redis_address, prepared, answered)


def test_a_store_answers_again_when_redis_is_back(redis_address, redis_server, prepared) -> None:
    store = FeatureStore(open_backend(redis_address))
    push(prepared, store.backend)
    movie_id = prepared.movies["movie_id"][0]
    redis_server.kill()
    for ask in (
        lambda: store.features_for("1", [movie_id], START),
        lambda: store.add_rating("1", movie_id, 4.0, START),
        lambda: store.ratings_of("1"),
    ):
        with pytest.raises(
            StoreUnavailableError, match=r"redis at 127\.0\.0\.1: the feature store cannot be used"
        ):
            ask()
    redis_server.start()
    store.add_rating("back", movie_id, 4.0, START)
    assert store.features_for("back", [movie_id], START + 1).user["user_count"] == 1
    store.close()
