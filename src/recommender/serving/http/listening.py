"""The port: taken by the supervisor, opened by the workers.

One socket that all workers inherit, rather than one each with SO_REUSEPORT: connections that wait while a
worker crashes go to the others or to its successor, where those in a socket of its own would be lost; and a
second server on the port fails, where it would quietly take half of the requests.
"""

from __future__ import annotations

import errno
import socket

from recommender.errors import RecommenderError

BACKLOG = 1024


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the port but not listening: clients are refused until a worker can answer.

    Port 0 takes any that is free. Raises `RecommenderError` where the port is taken or may not be.
    """
    # Two sockets that both have SO_REUSEADDR may be bound to one port until one listens, which here takes
    # as long as models take to load. So it is used only where connections of a server that has ended are in
    # the way, and by `listen` for the connections of this one.
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise _error(host, port, error.strerror or str(error)) from None
    for reuse in (False, True):
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
        try:
            bound.bind(address)
        except OSError as error:
            bound.close()
            if reuse or error.errno != errno.EADDRINUSE:
                raise _error(host, port, _reason(error)) from None
        else:
            break
    return bound


def listen(bound: socket.socket) -> None:
    """Let clients in; raises `RecommenderError` where another server that started meanwhile does already."""
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.listen(BACKLOG)
    except OSError as error:
        host, port = bound.getsockname()[:2]
        raise _error(host, port, _reason(error)) from None


def url(bound: socket.socket) -> str:
    """How a client on this machine names the server."""
    host, port = bound.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the port is in use; stop who uses it, or choose another port"
    return error.strerror or str(error)


def _error(host: str, port: int, reason: str) -> RecommenderError:
    return RecommenderError(f"rest_api_port: cannot listen on {host}:{port}: {reason}")
