"""Answers as JSON, written by pydantic's own serialiser: of a model, a number that is not finite is null."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from pydantic_core import to_json


def json_answer(answer: Any, status: int = 200) -> Response:
    """The response for a typed answer or a list of them.

    A route that returns a response spares FastAPI the second validation of what was validated when it was
    made; the route's `response_model` still documents it.
    """
    return Response(to_json(answer), status, media_type="application/json")
