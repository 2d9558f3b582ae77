"""The whole API as one FastAPI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from recommender import __version__
from recommender.app.answers import Problem
from recommender.app.api.edge import PREFIX, add_edge
from recommender.app.api.events import event_routes
from recommender.app.api.head import HeadAsGet
from recommender.app.api.health import health_routes
from recommender.app.api.movies import movie_routes
from recommender.app.api.problems import add_problems
from recommender.app.api.reference import add_reference
from recommender.app.api.request_id import HEADER
from recommender.app.api.users import user_routes
from recommender.app.application import Application

THREADS = 16  # answers under way at once; each keeps its own connection to the store
PROBLEMS = {
    404: "There is no such user, movie or genre.",
    413: "The body is too large.",
    422: "A parameter or the body breaks a rule.",
    429: "Too many requests; see Retry-After.",
    500: "The server failed; its log has the request id.",
    503: "The feature store does not answer.",
}


def create_api(application: Application) -> FastAPI:
    """The API of an application, without pages; those are added last."""
    api = FastAPI(
        title="Online recommender",
        version=__version__,
        description="Movies, users and lists. Every error is one sentence and the request's id.",
        docs_url=None,  # FastAPI's own pages load scripts from elsewhere
        redoc_url=None,
        lifespan=_with_threads,
    )
    responses: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem, "description": text} for status, text in PROBLEMS.items()
    }
    for routes in (movie_routes, user_routes, event_routes):
        api.include_router(routes(application), prefix=PREFIX, responses=responses)
    api.include_router(health_routes(application))
    add_reference(api)
    add_problems(api)
    api.add_middleware(HeadAsGet)
    add_edge(api, application.settings.limits, application.metrics)
    if origins := application.settings.cors_origins:
        api.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Content-Type", HEADER],
            expose_headers=[HEADER, "Retry-After"],
        )
    return api


@asynccontextmanager
async def _with_threads(api: FastAPI) -> AsyncIterator[None]:
    """Endpoints wait for store and model in threads, so that the event loop waits for nobody."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield
