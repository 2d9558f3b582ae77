"""Bytes that nobody meant as a request: the server answers or closes, and goes on."""

from __future__ import annotations

import random
import socket

import pytest
from served_application import Client, EchoApplication, get, post, served

from recommender.serving.http.limits import Limits
from recommender.serving.http.request import Refusal, RequestReader

PARTS = [
    get("/v1/models/m"),
    post("/v1/models/m:predict", b'{"instances": [1]}'),
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"HEAD http://host/thread/x HTTP/1.1\r\n\r\n",
    b"CONNECT h:1 HTTP/1.1\r\n\r\n",
    b"Content-Encoding: gzip\r\n",
    b"X-Request-Id: \xff\r\n",
    b"\r\n\r\n",
    b"0" * 5000,
    b"\0",
]
LIMITS = Limits(
    max_body_bytes=10_000,
    head_seconds=1,
    request_seconds=1,
    idle_seconds=1,
    linger_seconds=0.2,
    connections=200,
)


def mutated(source: random.Random) -> bytes:
    """Requests, and what is not quite one: parts of them joined, cut, doubled, with bytes changed."""
    data = bytearray(b"".join(source.choices(PARTS, k=source.randint(1, 4))))
    for _ in range(source.randint(0, 4)):
        at = source.randrange(len(data))
        match source.randrange(4):
            case 0:
                data[at] = source.randrange(256)
            case 1:
                del data[at : at + source.randint(1, 20)]
            case 2:
                data[at:at] = data[at : at + 20]
            case 3:
                data[at:at] = source.randbytes(source.randint(1, 8))
        data = data or bytearray(b"x")
    return bytes(data)


def throw(port: int, source: random.Random) -> bytes:
    """Send something in one or two pieces, read what comes, hang up; returns what came."""
    data = mutated(source)
    cut = source.randrange(len(data)) if source.random() < 0.3 else 0
    received = b""
    with Client(port) as client:
        client.socket.settimeout(0.02)
        try:
            client.send(data[:cut])
            client.send(data[cut:])
            if source.random() < 0.5:
                client.socket.shutdown(socket.SHUT_WR)
            while part := client.socket.recv(65_536):
                received += part
        except OSError:  # nothing more came, or the server has closed
            pass
    return received


def read(pieces: list[bytes]) -> tuple[list[tuple[str, str, bytes]], int]:
    """The requests in the bytes and the status with which they are refused, 0 where they are not."""
    reader = RequestReader(LIMITS)
    status = 0
    for piece in pieces:
        try:
            reader.feed(piece)
        except Refusal as refusal:
            status = refusal.response.status
            break
    return [(request.method, request.target, request.body) for request in reader.requests], status


def read_in_any_pieces(times: int, seed: int) -> None:
    source = random.Random(seed)
    for _ in range(times):
        data = mutated(source)
        whole, status = read([data])
        assert status in (0, 400, 413, 431)
        cuts = sorted(source.randrange(len(data) + 1) for _ in range(source.randint(1, 5)))
        pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert read([piece for piece in pieces if piece]) == (whole, status), data


def fuzz(times: int, seed: int) -> None:
    source = random.Random(seed)
    with served(EchoApplication(), LIMITS) as running:  # an error in the event loop fails the test at the end
        for _ in range(times):
            received = throw(running.port, source)
            assert received[:9] in (b"", b"HTTP/1.1 ")
            assert b"HTTP/1.1 5" not in received
            assert b"Traceback" not in received
        with Client(running.port) as client:
            client.send(get("/alive"))
            assert client.receive().body == b"GET /alive "


def test_what_is_read_does_not_depend_on_how_the_bytes_are_split() -> None:
    read_in_any_pieces(times=3000, seed=1)


@pytest.mark.slow
def test_what_is_read_does_not_depend_on_how_many_bytes_are_split() -> None:
    read_in_any_pieces(times=100_000, seed=2)


def test_any_bytes_are_answered_or_refused() -> None:
    fuzz(times=150, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_many_more_bytes_are_answered_or_refused(seed: int) -> None:
    fuzz(times=1500, seed=seed)
