"""The head of an answer, as bytes."""

from __future__ import annotations

import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from recommender.serving.http.request import Request
from recommender.serving.rest.response import Response

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def response_head(response: Response, request_id: str, connection: str = "") -> bytes:
    """Status line, headers and the empty line after them; `connection` is "", "close" or "keep-alive"."""
    said = f"Connection: {connection}\r\n" if connection else ""
    return (
        f"{_start(response.status, response.content_type)}Content-Length: {len(response.body)}\r\n"
        f"Date: {_date(int(time.time()))}\r\nX-Request-Id: {request_id}\r\n{said}\r\n"
    ).encode("latin-1")


def connection_header(request: Request, close: bool) -> str:
    """What has to be said about the connection: only what differs from the protocol's default."""
    if close:
        return "close"
    return "keep-alive" if request.old else ""


@lru_cache(maxsize=64)
def _start(status: int, content_type: str) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Client Closed Request"  # 499, which Serving gives for CANCELLED
    return f"HTTP/1.1 {status} {phrase}\r\nContent-Type: {content_type}\r\n"


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
