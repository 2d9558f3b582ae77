"""Whether a TCP port is free, and who has it otherwise."""

from __future__ import annotations

import errno
import socket

import psutil

from recommender.errors import RecommenderError


def check_port_is_free(host: str, port: int, key: str) -> None:
    """Raise `RecommenderError` where nothing can listen at `host` and `port`; `key` is the setting to change.

    A server that lets others share its port also counts as having it.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:  # the latter for a name with an empty or a long part
        reason = error.strerror if isinstance(error, OSError) else error
        raise RecommenderError(f"{host}: no such address: {reason}") from None
    with socket.socket(family, kind, protocol) as probe:
        # Connections that are ending do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise RecommenderError(f"cannot listen at {host}:{port}: {error.strerror}") from None
            raise RecommenderError(
                f"port {port} of {host} is taken by {_owner(port)}; "
                f"end that, or choose another with {key}=PORT"
            ) from None


def _owner(port: int) -> str:
    """Who listens at the port, as far as this user may know."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,)
            if listens and connection.pid is not None:
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        pass
    return "another process"
