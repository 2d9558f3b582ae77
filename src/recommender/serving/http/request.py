"""From bytes to requests, as far as one client's bytes may go."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import httptools

from recommender.serving.http.limits import Limits
from recommender.serving.http.request_id import new_request_id, read_request_id
from recommender.serving.rest.response import Response, error_response

FRAMING = (b"content-length", b"transfer-encoding")
OF_INTEREST = (*FRAMING, b"expect", b"x-request-id", b"content-encoding")
LENGTHS = frozenset(map(len, OF_INTEREST))  # of most headers only the length of the name is looked at


@dataclass(slots=True)
class Request:
    """One complete request; `persistent` is whether the client may send another one afterwards."""

    method: str
    target: str
    body: bytes
    gzipped: bool
    persistent: bool
    old: bool  # HTTP/1.0, which has to be told that its connection stays open
    id: str


class Refusal(Exception):  # noqa: N818 - an answer, not a fault of ours
    """No request is made of the client's bytes; `response` says why."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.body)
        self.response = response


class RequestReader:
    """Reads requests out of the bytes of one connection into `requests`, up to the client's last one.

    `begun` says that a request has begun and is not complete, `in_body` that its headers are, and
    `continue_expected` that its client waits for leave to send the body. The methods named `on_...` are
    called by httptools.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)
        self.requests: deque[Request] = deque()
        self._ended = False
        self._clear()

    def _clear(self) -> None:
        self.begun = self.in_body = self.continue_expected = False
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._quiet_bytes = 0
        self._body: bytes | bytearray = b""

    def feed(self, data: bytes) -> None:
        """Take in bytes as they came; raises `Refusal` where they break a rule."""
        self._moved = False
        waiting: list[bytes | memoryview] = [data]  # the next part last
        while waiting and not self._ended:
            waiting += self._parse(waiting.pop())
        if self.begun and not self._moved:
            # Neither a body nor an end: a head, or what may follow the last chunk, that goes on and on.
            self._quiet_bytes += len(data)
            self._check_head(self._quiet_bytes)

    def _parse(self, data: bytes | memoryview) -> list[bytes | memoryview]:
        """Give the parser a part; returns what it has to be given after that, the next part last."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return self._decline_upgrade(memoryview(data)[upgrade.args[0] :])
        except httptools.HttpParserCallbackError as error:
            raise error.__context__ or error from None
        except httptools.HttpParserError as error:
            if not self._ended:  # else bytes after the last request, which are nobody's
                raise Refusal(error_response(400, f"Malformed HTTP: {error}", close=True)) from None
        return []

    def on_message_begin(self) -> None:
        """A request's first byte has come."""
        self.begun = True

    def on_url(self, part: bytes) -> None:
        """More of the target."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole header, or after a chunked body a trailer, which is ignored."""
        size = len(name)
        self._head_bytes += size + len(value)
        if self.in_body:  # in one read with the end of the body, which resets the count of quiet bytes
            self._check_head(self._head_bytes)
        elif size in LENGTHS:
            name = name.lower()
            if name in OF_INTEREST:
                self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is complete: what it declares is checked before any of the body is taken."""
        self._check_head(self._head_bytes + len(self._target))
        self.in_body = True
        for name, value in self._headers:
            if name == b"content-length":
                self._check_body(int(value))
            elif name == b"expect":
                self.continue_expected = value.lower() == b"100-continue"

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        self._moved = True
        self._quiet_bytes = 0
        if not self._body:
            self._body = part
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)  # many small chunks would cost a hundred times their size
            self._body += part
        self._check_body(len(self._body))

    def on_message_complete(self) -> None:
        """The request's last byte has come."""
        self._moved = True
        if self._offers_upgrade():
            return  # its body was not read: `_decline_upgrade` follows
        request = self._request()
        self.requests.append(request)
        self._ended = not request.persistent
        self._clear()

    def _request(self) -> Request:
        parser = self._parser
        gzipped = False
        request_id = ""
        for name, value in self._headers:
            if name == b"content-encoding":
                gzipped = b"gzip" in value  # as NeedUncompressGzipContent of Serving's evhttp_request.cc
            elif name == b"x-request-id":
                request_id = read_request_id(value)
        return Request(
            method=parser.get_method().decode("ascii"),
            target=self._target.decode("latin-1"),
            body=bytes(self._body),
            gzipped=gzipped,
            persistent=parser.should_keep_alive() and not parser.should_upgrade(),
            old=parser.get_http_version() == "1.0",
            id=request_id or new_request_id(),
        )

    def _offers_upgrade(self) -> bool:
        return self._parser.should_upgrade() and self._parser.get_method() != b"CONNECT"

    def _decline_upgrade(self, rest: memoryview) -> list[bytes | memoryview]:
        """Go on in HTTP/1.1 with a client that offers another protocol, as Java's does with HTTP/2.

        The parser skips the body of such a request; a new one gets its head again without the offer.
        """
        if not self._offers_upgrade():
            return []
        lines = [self._parser.get_method() + b" " + self._target + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in self._headers]
        self._parser = httptools.HttpRequestParser(self)
        self._clear()
        return [rest, b"\r\n".join([*lines, b"", b""])]

    def _check_head(self, size: int) -> None:
        if size > self._limits.max_head_bytes:
            message = f"The request's headers are larger than {self._limits.max_head_bytes} bytes."
            raise Refusal(error_response(431, message, close=True))

    def _check_body(self, size: int) -> None:
        if size > self._limits.max_body_bytes:
            raise Refusal(too_large(self._limits))


def too_large(limits: Limits) -> Response:
    """The answer to a body over the limit."""
    message = f"The request's body is larger than {limits.max_body_bytes} bytes."
    return error_response(413, message, close=True)
