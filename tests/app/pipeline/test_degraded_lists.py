"""Lists when something is slow or down: full, marked, and never an error."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.features.conftest import RedisServer
from recommender.app import settings
from recommender.app.features import FeatureStore, StoreUnavailableError, open_backend, push
from recommender.app.pipeline.circuit_breaker import FAILURES
from recommender.app.pipeline.listed import Listed
from recommender.app.pipeline.pipeline import Pipeline
from recommender.app.pipeline.wanted import Wanted
from recommender.app.settings import ALL_CHANNELS, AppSettings, VariantSettings

PATIENT = AppSettings(budget_ms=60_000)
HURRIED = AppSettings(budget_ms=300)
LONGEST = 60.0  # seconds
VARIANTS = {**settings.VARIANTS, "channels": VariantSettings(channels=ALL_CHANNELS, order="channel")}

Recommend = Callable[..., Listed]


@pytest.fixture
def start(
    filled_store: FeatureStore, scripted_model, user_ids: list[str], now: int
) -> Iterator[Callable[..., Recommend]]:
    """`start(settings)`: a pipeline, as the function `recommend(variant)` for ten movies and some user."""
    pipelines = []

    def start(settings: AppSettings, store: FeatureStore = filled_store) -> Recommend:
        pipeline = Pipeline(settings, store, scripted_model)
        pipelines.append(pipeline)

        def recommend(variant: str = "two_stage", **asked: object) -> Listed:
            wanted = {"user_id": user_ids[5], "n": 10, "timestamp": now, **asked}
            return pipeline.recommend(Wanted(variant=VARIANTS[variant], **wanted))

        recommend.breakers = pipeline.breakers
        return recommend

    yield start
    for pipeline in pipelines:
        pipeline.close()


def ids(listed: Listed) -> list[str]:
    return [place.movie_id for place in listed.places]


def eventually(recommend: Recommend, degraded: list[str]) -> Listed:
    """The first list that is marked so."""
    end = time.monotonic() + LONGEST
    while (listed := recommend()).degraded != degraded:
        assert time.monotonic() < end, listed.degraded
        time.sleep(0.05)
    return listed


def test_with_the_ranking_model_down_the_order_is_that_of_the_channels(start, scripted_model) -> None:
    scripted_model.down = {"rank"}
    recommend = start(PATIENT)
    listed = recommend()
    assert listed.degraded == ["ranking"]
    assert listed.places == recommend("channels").places
    assert len(set(ids(listed))) == 10
    assert {place.prediction for place in listed.places} == {None}


def test_retrievals_order_comes_through_where_the_ranking_model_is_down(
    start, scripted_model, movie_ids
) -> None:
    scripted_model.down = {"rank"}
    unseen = start(PATIENT)(user_id="somebody new")
    assert sum(movie in movie_ids[-20:] for movie in ids(unseen)) > 5


def test_with_a_slow_ranking_model_nobody_waits_for_it(start, scripted_model) -> None:
    scripted_model.slow = {"rank"}  # it answers after the list is there
    assert start(HURRIED)().degraded == ["ranking"]


def test_with_retrieval_down_the_other_channels_are_ranked(start, scripted_model) -> None:
    scripted_model.down = {"retrieve"}
    listed = start(PATIENT)()
    assert listed.degraded == ["retrieval"]
    assert len(listed.places) == 10
    assert all(place.prediction for place in listed.places)


def test_a_slow_retrieval_leaves_time_for_ranking(start, scripted_model) -> None:
    scripted_model.slow = {"retrieve"}
    listed = start(AppSettings(budget_ms=2_000))()
    assert listed.degraded == ["retrieval"]
    assert all(place.prediction for place in listed.places)


def test_a_variant_of_retrieval_alone_falls_back_to_what_is_popular(start, scripted_model, catalogue) -> None:
    scripted_model.down = {"retrieve"}
    listed = start(PATIENT)("retrieval")
    assert listed.degraded == ["retrieval"]
    popularity = catalogue.recent_popularity[[catalogue.places[movie] for movie in ids(listed)]]
    assert popularity.tolist() == sorted(popularity.tolist(), reverse=True)
    assert len(listed.places) == 10


def test_a_model_that_is_down_altogether_leaves_a_full_list(start, scripted_model) -> None:
    scripted_model.down = {"retrieve", "rank"}
    listed = start(PATIENT)()
    assert listed.degraded == ["retrieval", "ranking"]
    assert len(set(ids(listed))) == 10


def test_what_is_down_is_not_asked_again_by_every_request(start, scripted_model) -> None:
    scripted_model.down = {"rank"}
    recommend = start(PATIENT)
    for _ in range(FAILURES + 10):
        assert recommend().degraded == ["ranking"]
    assert scripted_model.asked["rank"] == FAILURES
    assert recommend.breakers() == {"features": "closed", "retrieval": "closed", "ranking": "open"}


def test_what_answers_again_is_used_again(start, scripted_model) -> None:
    scripted_model.down = {"rank"}
    recommend = start(PATIENT)
    for _ in range(FAILURES):
        recommend()
    scripted_model.down = set()
    listed = eventually(recommend, [])
    assert all(place.prediction for place in listed.places)
    assert recommend.breakers()["ranking"] == "closed"


def test_a_fault_of_the_program_is_not_taken_for_an_outage(start, scripted_model, monkeypatch) -> None:
    def broken(*_: object) -> NDArray:
        return np.empty(0)[1]

    monkeypatch.setattr(scripted_model, "rank", broken)
    with pytest.raises(IndexError):
        start(PATIENT)()


def test_a_store_that_never_answered_is_an_error_that_says_what_to_do(start, tmp_path: Path) -> None:
    empty = FeatureStore(open_backend(f"sqlite:{tmp_path}/empty.sqlite"))
    recommend = start(PATIENT, empty)  # no error: it may be filled in a moment
    with pytest.raises(StoreUnavailableError, match="has not answered since the start"):
        recommend()
    empty.close()


def test_a_store_that_is_filled_while_the_server_runs_is_used(start, prepared, tmp_path: Path) -> None:
    store = FeatureStore(open_backend(f"sqlite:{tmp_path}/empty.sqlite"))
    recommend = start(PATIENT, store)
    push(prepared, store.backend)
    assert recommend().degraded == []
    store.close()


@pytest.fixture(scope="module")
def redis(tmp_path_factory) -> Iterator[RedisServer]:
    """A Redis of these tests alone, which stop it."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed on this machine")
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


class TestOnRedis:
    """A real Redis that stops, stands still and comes back."""

    @pytest.fixture
    def recommend(self, redis: RedisServer, start, prepared, neighbour_table) -> Iterator[Recommend]:
        store = FeatureStore(open_backend(redis.address))
        push(prepared, store.backend, similar={"item2vec": neighbour_table})
        yield start(PATIENT, store)
        store.close()

    def test_stopped_gives_what_is_popular_and_started_again_the_users_list(
        self, recommend: Recommend, redis: RedisServer, catalogue
    ) -> None:
        before = recommend(explain=True)
        assert before.degraded == []
        redis.kill()
        listed = recommend(explain=True, diversity=0.0)
        assert listed.degraded == ["features", "explanation"]
        popularity = catalogue.recent_popularity[[catalogue.places[movie] for movie in ids(listed)]]
        assert popularity.tolist() == np.sort(catalogue.recent_popularity)[::-1][:10].tolist()
        for _ in range(2 * FAILURES):
            assert len(recommend("retrieval", genre="Drama").places) == 10
        redis.start()
        assert eventually(recommend, []).places == recommend().places
        assert ids(recommend(explain=True)) == ids(before)

    def test_standing_still_is_not_waited_for(
        self, redis: RedisServer, start, prepared, filled_store
    ) -> None:
        store = FeatureStore(open_backend(redis.address))
        push(prepared, store.backend)
        recommend = start(HURRIED, store)
        eventually(recommend, [])
        redis.process.send_signal(signal.SIGSTOP)
        listed = eventually(recommend, ["features"])
        assert len(listed.places) == 10
        redis.process.send_signal(signal.SIGCONT)
        eventually(recommend, [])
        store.close()

    def test_stopped_under_load_loses_no_request(self, recommend: Recommend, redis: RedisServer) -> None:
        lists: list[Listed] = []
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                lists.append(recommend())

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        while len(lists) < 20:
            time.sleep(0.01)
        redis.kill()
        while not lists[-1].degraded:
            time.sleep(0.01)
        redis.start()
        while lists[-1].degraded:
            time.sleep(0.01)
        stop.set()
        for thread in threads:
            thread.join()
        assert all(len(set(ids(listed))) == 10 for listed in lists)
        assert {tuple(listed.degraded) for listed in lists} >= {(), ("features",)}
