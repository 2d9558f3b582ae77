"""One line of text from a socket, with an end to the waiting."""

from __future__ import annotations

import socket
import time

LINE_BYTES = 65_536  # at most


def read_line(connection: socket.socket, deadline: float) -> bytes:
    """What comes until a line ends, the other side says no more, or it is too long for a line.

    Raises `OSError`, as `TimeoutError` where that is not before `deadline` by `time.monotonic()`, however the
    other side spreads its bytes.
    """
    line = b""
    while len(line) < LINE_BYTES and not line.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no whole line in time")
        connection.settimeout(left)
        received = connection.recv(LINE_BYTES)
        if not received:
            break
        line += received
    return line
