"""A model server that is killed and started again, stands still and goes on, while lists are asked for."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from recommender.app.features import FeatureStore
from recommender.app.models.remote import RemoteModel
from recommender.app.pipeline.listed import Listed
from recommender.app.pipeline.pipeline import Pipeline
from recommender.app.pipeline.wanted import Wanted
from recommender.app.settings import VARIANTS, AppSettings, ModelSettings
from serving.serve_process import PATIENCE, Server, serving

THREADS = 3
WITHOUT_MODEL = ["retrieval", "ranking"]


class Load:
    """Asks for lists from several threads for as long as the block lasts."""

    def __init__(self, ask: Callable[[], Listed]) -> None:
        self._ask = ask
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask_on) for _ in range(THREADS)]
        self.lists: list[Listed] = []
        self.errors: list[BaseException] = []

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def until(self, degraded: list[str]) -> None:
        """Wait for a list from now on that is marked so."""
        end, first = time.monotonic() + PATIENCE, len(self.lists)
        while not any(listed.degraded == degraded for listed in self.lists[first:]):
            assert not self.errors
            assert time.monotonic() < end, self.lists[-1].degraded
            time.sleep(0.02)

    def _ask_on(self) -> None:
        while not self._stop.is_set():
            try:
                self.lists.append(self._ask())
            except BaseException as error:  # the test's thread is to see it
                self.errors.append(error)
                return


@pytest.fixture
def start_server(not_warmed_up: Path, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """`start_server(flags)`: `recommender serve` with the small model."""
    with ExitStack() as servers:
        yield lambda *flags: servers.enter_context(
            serving(
                tmp_path,
                "--model_name=recommender",
                f"--model_base_path={not_warmed_up}/recommender",
                *flags,
            )
        )


@pytest.mark.slow
def test_every_list_is_full_and_the_model_is_used_again_when_it_is_back(
    start_server: Callable[..., Server], filled_store: FeatureStore, user_ids: list[str], now: int
) -> None:
    server = start_server()
    settings = AppSettings(budget_ms=2_000)
    model = RemoteModel(ModelSettings(url=server.base), settings.budget_ms)
    pipeline = Pipeline(settings, filled_store, model)
    wanted = Wanted(user_ids[5], 10, VARIANTS["two_stage"], now)
    with Load(lambda: pipeline.recommend(wanted)) as load:
        load.until([])
        processes = [psutil.Process(server.process.pid), *server.workers]
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        load.until(WITHOUT_MODEL)  # it takes connections and does not answer
        for process in processes:
            process.send_signal(signal.SIGCONT)
        load.until([])
        for process in processes:
            process.kill()
        load.until(WITHOUT_MODEL)
        server.process.wait(PATIENCE)
        start_server(f"--rest_api_port={server.base.rpartition(':')[2]}")
        load.until([])
    assert not load.errors
    assert all(len({place.movie_id for place in listed.places}) == 10 for listed in load.lists)
    pipeline.close()
    model.close()
