"""What went wrong, as a page in the same design."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recommender.app.api.problems import STATUSES
from recommender.app.pages.page import render
from recommender.app.pages.visitor import chosen_user

log = logging.getLogger(__name__)

HEADINGS = {
    404: "Not found",
    405: "Not possible",
    422: "That cannot be",
    500: "Something broke",
    503: "Not available right now",
}
SENTENCES = {
    404: "There is no page at this address.",
    500: "The server failed to make this page. The cause is in its log.",
    503: "The server cannot reach its data. Please try again in a moment.",
}


def show_problem(request: Request, status: int, sentence: str | None = None) -> HTMLResponse:
    """The page of an error; it asks nothing of the application, which may be what is broken."""
    phrase = HTTPStatus(status).phrase
    text = render(
        "problem.html",
        request,
        chosen_user(request),
        status=status,
        heading=HEADINGS.get(status, phrase),
        sentence=sentence or SENTENCES.get(status, f"{phrase}."),
    )
    return HTMLResponse(text, status, headers={"Cache-Control": "no-store"})


def add_problems(site: FastAPI) -> None:
    """Show every error as a page."""
    site.add_exception_handler(HTTPException, _of_http)
    site.add_exception_handler(RequestValidationError, _of_validation)
    site.add_middleware(LastResort)
    for kind, status in STATUSES.items():
        site.add_exception_handler(kind, _with_status(status))


def _with_status(status: int) -> Callable[[Request, Exception], Response]:
    """Errors of the application say themselves what is wrong; a store that is down says it in the log."""

    def show(request: Request, error: Exception) -> Response:
        return show_problem(request, status, None if status == 503 else sentence_of(str(error)))

    return show


def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return show_problem(request, error.status_code)


def _of_validation(request: Request, error: Exception) -> Response:
    """The first thing that is wrong, with its field's name."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "value_error":
        return show_problem(request, 422, sentence_of(first["msg"]))
    return show_problem(request, 422, sentence_of(f"{first['loc'][-1]}: {first['msg']}"))


def sentence_of(message: str) -> str:
    """A one-line message as a sentence."""
    return f"{message[:1].upper()}{message[1:]}" + ("" if message.endswith((".", "!", "?")) else ".")


class LastResort:
    """Shows a fault of the program as a page, too, and writes its traceback to the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say that there is no answer."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            if begun or scope["type"] != "http":
                raise
            log.exception("page failed: %s %s", scope["method"], scope["path"])
            await show_problem(Request(scope), 500)(scope, receive, send)
