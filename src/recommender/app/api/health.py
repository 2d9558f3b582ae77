"""Routes for whoever watches the server."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from recommender.app.api.json_answer import json_answer
from recommender.app.application import Application


def health_routes(application: Application) -> APIRouter:
    """Not part of the API's description: no client of the recommender needs them."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> Response:
        """The process answers."""
        return json_answer({"status": "ok"})

    @router.get("/readyz")
    def readyz() -> Response:
        """Store and model answer: 200; else 503 and which does not."""
        state = application.readiness()
        return json_answer(state, 200 if None not in state.values() else 503)

    @router.get("/metrics")
    def metrics() -> Response:
        """Everything counted, for Prometheus."""
        return Response(application.metrics_page(), media_type=CONTENT_TYPE_LATEST)

    return router
