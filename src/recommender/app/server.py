"""The process that serves API and pages: a socket, uvicorn, and an end that loses nothing."""

from __future__ import annotations

import gc
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from recommender.app.api import create_api
from recommender.app.application import Application
from recommender.app.pages import add_pages
from recommender.errors import RecommenderError

BACKLOG = 1024
GRACE_SECONDS = 10  # for requests that are under way at the end
# Until a thread that wants Python gets it from one that computes. A list passes through ten threads, and
# with Python's 5 ms a busy server would spend its time waiting for turns.
SWITCH_SECONDS = 1e-4


def serve(application: Application, announce: Callable[[str], object]) -> None:
    """Serve until SIGTERM or Ctrl-C, finish what is under way, and close the application.

    `announce` gets the URL when requests are answered. Raises `RecommenderError` where the port is taken.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    settings = application.settings
    api = create_api(application)
    add_pages(api, application)
    config = uvicorn.Config(
        api,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    try:
        with _listening(settings.host, settings.port) as listener, _signals_are_requests():
            _Server(config, lambda: announce(_url(listener))).run(sockets=[listener])
    finally:
        application.close()


class _Server(uvicorn.Server):
    """Tells when it answers."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], object]) -> None:
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # What there is now stays. To look through all of TensorFlow for garbage stops every answer for half a
        # second, again and again.
        gc.collect()
        gc.freeze()
        await super().startup(sockets)
        self._on_start()


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise RecommenderError(f"cannot listen at {host}:{port}: {error.strerror or error}") from None


def _url(listener: socket.socket) -> str:
    """How a browser on this machine names the server."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::", "127.0.0.1", "::1"):
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _signals_are_requests() -> Iterator[None]:
    """Uvicorn raises the signal that ended it once more when it is done; here that is no death by signal."""
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = {kind: signal.signal(kind, lambda *_: None) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
