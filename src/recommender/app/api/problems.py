"""Errors as answers: always `{"error": one sentence, "request_id": ...}`, never a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from recommender.app.answers import Problem
from recommender.app.api.json_answer import json_answer
from recommender.app.api.request_id import request_id_of
from recommender.app.application import InvalidRequestError, NotFoundError
from recommender.app.features import (
    InvalidRatingError,
    StoreUnavailableError,
    UnknownModelError,
    UnknownMovieError,
)
from recommender.app.models import ModelUnavailableError

STATUSES: dict[type[Exception], int] = {
    NotFoundError: 404,
    UnknownMovieError: 404,
    InvalidRequestError: 422,
    InvalidRatingError: 422,
    UnknownModelError: 422,
    StoreUnavailableError: 503,
    ModelUnavailableError: 503,
}
LONGEST_VALUE = 80  # characters of a bad value that are repeated to its sender


def problem(
    request_id: str, status: int, sentence: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer of an error."""
    response = json_answer(Problem(error=sentence, request_id=request_id), status)
    response.headers.update(headers or {})
    return response


def add_problems(api: FastAPI) -> None:
    """Answer every error of the API in one shape."""
    for kind, status in STATUSES.items():
        api.add_exception_handler(kind, _said_by_the_application(status))
    api.add_exception_handler(RequestValidationError, _said_by_the_types)
    api.add_exception_handler(HTTPException, _said_by_http)


def _said_by_the_application(status: int) -> Any:
    def answer(request: Request, error: Exception) -> Response:
        headers = {"Retry-After": "1"} if status == 503 else None
        return problem(request_id_of(request), status, str(error), headers)

    return answer


def _said_by_the_types(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem(request_id_of(request), 422, "; ".join(map(_sentence, error.errors())))


def _said_by_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = shown(request.url.path)
    sentences = {
        400: "body: must be JSON text in UTF-8",
        404: f"nothing is at {path}",
        405: f"{path} does not take {request.method}",
    }
    # 400 is what FastAPI makes of a body that the JSON parser gives up on.
    status = 422 if error.status_code == 400 else error.status_code
    return problem(
        request_id_of(request), status, sentences.get(error.status_code, error.detail), error.headers
    )


def _sentence(error: Mapping[str, Any]) -> str:
    """One pydantic error as `field: rule, received value`."""
    kind, *path = error["loc"]
    field = ".".join(str(part) for part in path) or str(kind)
    if error["type"] == "json_invalid":
        return f"body: must be JSON, {error['ctx']['error'].lower()} at character {path[0]}"
    if error["type"] == "missing":
        return f"{field}: is required"
    if error["type"] == "extra_forbidden":
        return f"{field}: unknown field"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    rule = f"{message[0].lower()}{message[1:]}".replace("should", "must", 1)
    return f"{field}: {rule}, received {shown(error['input'])}"


def shown(value: object) -> str:
    """A value as text that can be sent: cut, and with escapes for what is no character."""
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
