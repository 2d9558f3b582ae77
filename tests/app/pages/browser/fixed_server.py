"""A server of the pages on an application of fixed answers, in a thread."""

from __future__ import annotations

import threading
import time

import uvicorn
from fastapi import FastAPI
from fixed_application import DEGRADED, FixedApplication

from recommender.app.answers import Event, ExperimentResult, VariantResult
from recommender.app.pages import add_pages


class FixedServer:
    """Fixed answers at `address`; `events` are those that the pages have reported."""

    def __init__(self) -> None:
        self.application = FixedApplication(degraded=[DEGRADED])
        self.application.shown = [_experiment()]
        self.events: list[Event] = []
        api = FastAPI()
        api.post("/api/v1/events", status_code=202)(self._record)
        add_pages(api, self.application)  # type: ignore[arg-type]
        self.server = uvicorn.Server(uvicorn.Config(api, port=0, log_level="error"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"

    def _record(self, event: Event) -> None:
        self.events.append(event)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)


def _experiment() -> ExperimentResult:
    about = {"weight": 1.0, "share": 0.5, "requests": 1200, "impressions": 12_000, "clicks": 600}
    known = VariantResult(variant="two_stage", click_through=0.05, interval=(0.046, 0.054), **about)
    return ExperimentResult(experiment="order", decides="model", variants=[known])
