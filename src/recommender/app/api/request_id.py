"""The id of a request: in every answer, every error, every logged list."""

from __future__ import annotations

from fastapi import Request
from starlette.types import Scope

from recommender.serving.http.request_id import new_request_id, read_request_id

HEADER = "X-Request-ID"
LONGEST = 64  # characters, as events may name it


def choose_request_id(scope: Scope) -> str:
    """The client's own id where it is well-formed, else a new one; kept in the scope."""
    given = next((value for name, value in scope["headers"] if name == HEADER.lower().encode()), b"")
    chosen = read_request_id(given) if len(given) <= LONGEST else ""
    scope["request_id"] = chosen or new_request_id()
    return scope["request_id"]


def request_id_of(request: Request) -> str:
    """The id that was chosen."""
    return request.scope["request_id"]
