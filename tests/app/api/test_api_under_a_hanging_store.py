"""A store that neither answers nor fails holds up those who need it, and nobody else."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from fastapi.testclient import TestClient

from recommender.app.api import create_api
from recommender.app.api.server_api import THREADS
from recommender.app.settings import AppSettings
from recommender.data.prepared import Prepared


def test_lists_are_answered_while_every_other_thread_waits(
    make_application, app_settings: AppSettings, titled: Prepared
) -> None:
    settings = AppSettings.model_validate({**app_settings.model_dump(), "budget_ms": 300})
    application = make_application(settings)
    user_id, movie_id = titled.users["user_id"][0], titled.movies["movie_id"][0]
    released = threading.Event()
    read = application.store.backend.read

    def hang(*arguments):
        released.wait(120)
        return read(*arguments)

    with TestClient(create_api(application)) as client, ThreadPoolExecutor(THREADS + 4) as others:
        assert client.get(f"/api/v1/users/{user_id}/recommendations").status_code == 200
        application.store.backend.read = hang
        waiting = [others.submit(client.get, f"/api/v1/movies/{movie_id}") for _ in range(THREADS + 4)]
        answer = client.get(f"/api/v1/users/{user_id}/recommendations")
        assert answer.status_code == 200
        assert answer.json()["degraded"]
        assert len(answer.json()["items"]) == 10
        assert client.get("/healthz").status_code == 200
        assert not any(one.done() for one in waiting)
        released.set()
        assert {one.result().status_code for one in waiting} == {200}
