"""What a request is answered with, and the pages of the HTTP library under TensorFlow Serving."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

from recommender.serving.status import error_body

JSON = "application/json"
TEXT = "text/plain"
HTML = "text/html"


class Response(NamedTuple):
    """An answer: HTTP status, content type and body; `close` ends the connection after it."""

    status: int
    content_type: str
    body: bytes
    close: bool = False


def error_response(status: int, message: str, close: bool = False) -> Response:
    """An error in the API's own form: `{"error": message}`."""
    return Response(status, JSON, error_body(message), close)


def library_page(status: HTTPStatus) -> Response:
    """The page that libevent (`evhttp_send_error` in its http.c) sends for what never reaches the API."""
    page = (
        f"<HTML><HEAD>\n<TITLE>{status.value} {status.phrase}</TITLE>\n</HEAD><BODY>\n"
        f"<H1>{status.phrase}</H1>\n</BODY></HTML>\n"
    )
    return Response(status.value, HTML, page.encode(), close=True)
