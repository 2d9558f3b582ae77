"""Routes of events and experiments."""

from __future__ import annotations

from fastapi import APIRouter, Response

from recommender.app.answers import Event, ExperimentResult
from recommender.app.api.bodies import LoggedEvent
from recommender.app.api.json_answer import json_answer
from recommender.app.application import Application


def event_routes(application: Application) -> APIRouter:
    """What became of lists."""
    router = APIRouter(tags=["events"])

    @router.post("/events", response_model=LoggedEvent, status_code=202)
    def record(event: Event) -> Response:
        """Log that movies of a list came into view, or that one was clicked."""
        return json_answer(LoggedEvent(counts=application.record(event)), 202)

    @router.get("/experiments", response_model=list[ExperimentResult])
    def experiments() -> Response:
        """Every experiment: variants, traffic, click-through with its interval."""
        return json_answer(application.experiments())

    return router
