"""What every request passes first and last: its id, limits, the clock, and the net under all errors."""

from __future__ import annotations

import logging
import time

from fastapi import FastAPI, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recommender.app.api.body_limit import BodyTooLargeError, limited
from recommender.app.api.problems import problem
from recommender.app.api.rate_limit import RateLimit
from recommender.app.api.request_id import HEADER, choose_request_id
from recommender.app.monitoring import Metrics
from recommender.app.settings import LimitSettings

log = logging.getLogger(__name__)

PREFIX = "/api/v1"
METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
UNLIMITED = ("/healthz", "/readyz", "/metrics", "/static/")  # what watchers and every page ask for


class Edge:
    """Plain ASGI around the whole application, so that it costs microseconds."""

    def __init__(self, app: ASGIApp, limits: LimitSettings, metrics: Metrics) -> None:
        self._app = app
        self._most_bytes = limits.body_bytes
        self._rate_limit = RateLimit(limits, time.monotonic)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, send)
        began = time.perf_counter()
        try:
            await self._answer(scope, receive, exchange)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.answered(_method(scope), _route(scope), exchange.status, seconds)

    async def _answer(self, scope: Scope, receive: Receive, exchange: _Exchange) -> None:
        if wait := self._seconds_to_wait(scope):
            sentence = f"too many requests, try again in {wait} s"
            await exchange.refuse(429, sentence, {"Retry-After": str(wait)})
            return
        try:
            await self._app(scope, limited(scope, receive, self._most_bytes), exchange.send)
        except BodyTooLargeError as error:
            await exchange.refuse(413, error.detail)
        except Exception:
            log.exception("request %s failed: %s %s", exchange.request_id, scope["method"], scope["path"])
            await exchange.refuse(500, "the server failed to answer; its log says why, by the request id")

    def _seconds_to_wait(self, scope: Scope) -> int:
        if scope["path"].startswith(UNLIMITED):
            return 0
        client = scope.get("client")
        return self._rate_limit.wait(client[0] if client else "")


class _Exchange:
    """One request's way back: notes the status and adds the id."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope, self._send = scope, send
        self.request_id = choose_request_id(scope)
        self.status = 0  # no answer yet

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [
                *message.get("headers", []),
                (HEADER.lower().encode(), self.request_id.encode()),
            ]
        await self._send(message)

    async def refuse(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        """Answer with an error, unless an answer has begun; one that is cut off breaks the connection."""
        if self.status:
            return
        response: Response = problem(self.request_id, status, sentence, headers)
        await response(self.scope, _nothing_more, self.send)


async def _nothing_more() -> Message:
    return {"type": "http.disconnect"}


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in METHODS else "other"


def _route(scope: Scope) -> str:
    """The pattern that the path matched: a metric by path would have as many rows as there are ids."""
    path: str | None = getattr(scope.get("route"), "path", None)
    if path is None:
        return "none"
    # An included router's routes know nothing of the prefix that it was included with.
    under_prefix = scope["path"].startswith(PREFIX) and not path.startswith(PREFIX)
    return PREFIX + path if under_prefix else path


def add_edge(api: FastAPI, limits: LimitSettings, metrics: Metrics) -> None:
    """Put the edge around the application."""
    api.add_middleware(Edge, limits=limits, metrics=metrics)
