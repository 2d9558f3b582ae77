"""A store that neither answers nor fails holds up those who need it, and nobody else."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from recommender.app.api import create_api
from recommender.app.api.server_api import THREADS
from recommender.app.features import StoreUnavailableError
from recommender.app.pipeline import circuit_breaker
from recommender.app.settings import AppSettings
from recommender.data.prepared import Prepared


def test_lists_are_answered_while_every_other_thread_waits_and_movies_once_the_store_has_failed(
    make_application, app_settings: AppSettings, titled: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit_breaker, "time", SimpleNamespace(monotonic=lambda: 100.0))
    settings = AppSettings.model_validate({**app_settings.model_dump(), "budget_ms": 300})
    application = make_application(settings)
    user_id, movie_id = titled.users["user_id"][0], titled.movies["movie_id"][0]
    released = threading.Event()
    asked: list[object] = []

    def hang(*arguments: object) -> None:
        asked.append(arguments)
        released.wait(120)
        raise StoreUnavailableError("redis: no answer in time")

    with TestClient(create_api(application)) as client, ThreadPoolExecutor(THREADS + 4) as others:
        assert client.get(f"/api/v1/users/{user_id}/recommendations").status_code == 200
        application.store.backend.read = hang
        rate = partial(client.post, f"/api/v1/users/{user_id}/ratings")
        rating = {"movie_id": movie_id, "rating": 3}
        waiting = [others.submit(rate, json=rating) for _ in range(THREADS + 4)]
        answer = client.get(f"/api/v1/users/{user_id}/recommendations")
        assert answer.status_code == 200
        assert answer.json()["degraded"]
        assert len(answer.json()["items"]) == 10
        assert client.get("/healthz").status_code == 200
        assert not any(one.done() for one in waiting)
        released.set()
        assert {one.result().status_code for one in waiting} == {503}
        released.clear()  # who asks the store now waits again
        asked.clear()
        movie = client.get(f"/api/v1/movies/{movie_id}")
        assert (movie.status_code, movie.json()["degraded"]) == (200, ["features"])
        assert client.get(f"/api/v1/users/{user_id}").status_code == 503
        assert asked == []
