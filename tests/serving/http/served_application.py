"""A server on a thread of its own around an application made for tests, and a client that speaks bytes."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvloop

from recommender.serving.http.access_log import AccessLog
from recommender.serving.http.limits import Limits
from recommender.serving.http.listening import bind, listen
from recommender.serving.http.request import Request
from recommender.serving.http.server import HttpServer
from recommender.serving.rest.response import TEXT, Response

PATIENCE = 20  # seconds; a test that works never waits as long


@dataclass
class EchoApplication:
    """Answers with what it was asked: method, target and body.

    A target that begins with /thread goes to a thread whatever was measured; /thread/gate waits there until
    `gate` is set. /size/N answers with N bytes, /close asks for the end of the connection.
    """

    gate: threading.Event = field(default_factory=threading.Event)
    at_gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    threads: list[str] = field(default_factory=list)

    def may_block(self, request: Request) -> bool:
        return request.target.startswith("/thread")

    def respond(self, request: Request, waited: float, quick: bool) -> Response:
        self.threads.append(threading.current_thread().name)
        assert quick is not self.threads[-1].startswith("request")
        if request.target == "/thread/gate":
            self.at_gate.release()
            assert self.gate.wait(PATIENCE)
        if request.target.startswith("/size/"):
            return Response(200, TEXT, b"x" * int(request.target.removeprefix("/size/")))
        said = f"{request.method} {request.target} ".encode() + request.body
        return Response(200, TEXT, said, close=request.target == "/close")


@dataclass
class Served:
    """A running server: its port, and ways to reach into its event loop."""

    port: int
    server: HttpServer
    loop: asyncio.AbstractEventLoop
    errors: list[dict[str, Any]]

    def drain(self) -> Any:
        """Ask the server to stop; the future says whether all was finished."""
        return asyncio.run_coroutine_threadsafe(self.server.drain(), self.loop)


@contextmanager
def served(
    application: Any,
    limits: Limits | None = None,
    threads: int = 2,
    make_log: Callable[[], AccessLog] | None = None,
) -> Iterator[Served]:
    """Serve within the block; an error that the event loop had to handle fails the test."""
    started: list[Served] = []
    ready = threading.Event()
    stop: list[asyncio.Event] = []

    async def main() -> None:
        errors: list[dict[str, Any]] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: errors.append(context))
        log = make_log() if make_log else None
        server = HttpServer(application, limits or Limits(), threads, log)
        listener = bind("127.0.0.1", 0)
        listen(listener)
        port = listener.getsockname()[1]
        server.start(listener)
        stop.append(asyncio.Event())
        started.append(Served(port, server, loop, errors))
        ready.set()
        await stop[0].wait()
        if log is not None:
            log.close()

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield started[0]
    finally:
        started[0].loop.call_soon_threadsafe(stop[0].set)
        thread.join(PATIENCE)
    assert started[0].errors == []


@dataclass
class Answer:
    """A response as it was received."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Client:
    """One connection."""

    def __init__(self, port: int, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        self._file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self, method: str = "GET") -> Answer:
        """The next response; leaves what follows it for the next call."""
        response = http.client.HTTPResponse(_Unclosed(self._file), method=method)  # type: ignore[arg-type]
        response.begin()
        return Answer(response.status, response.headers, response.read())

    def line(self) -> bytes:
        return self._file.readline()

    def read(self, size: int) -> bytes:
        return self._file.read(size)

    def ended(self) -> bool:
        """Whether the server closes the connection without sending any more."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class _Unclosed:
    """What HTTPResponse wants of a socket; it closes its file, which is not to end ours."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def makefile(self, mode: str) -> _Unclosed:
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def close(self) -> None:
        pass


def get(target: str, *headers: str) -> bytes:
    """A request without body."""
    return "".join(f"{line}\r\n" for line in [f"GET {target} HTTP/1.1", "Host: h", *headers, ""]).encode()


def post(target: str, body: bytes, *headers: str) -> bytes:
    """A request with a body."""
    lines = [f"POST {target} HTTP/1.1", "Host: h", f"Content-Length: {len(body)}", *headers, ""]
    return "".join(f"{line}\r\n" for line in lines).encode() + body
