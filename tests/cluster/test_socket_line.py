"""One line from a socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from recommender.cluster.socket_line import LINE_BYTES, read_line

PATIENCE = 20.0


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Who reads, and who writes."""
    here, there = socket.socketpair()
    with here, there:
        yield here, there


def test_a_line_that_comes_in_pieces_is_whole(ends: tuple[socket.socket, socket.socket]) -> None:
    here, there = ends
    there.sendall(b"one ")
    threading.Timer(0.1, there.sendall, [b"line\n"]).start()
    assert read_line(here, time.monotonic() + PATIENCE) == b"one line\n"


def test_the_end_of_what_is_said_ends_a_line(ends: tuple[socket.socket, socket.socket]) -> None:
    here, there = ends
    there.sendall(b"half a line")
    there.shutdown(socket.SHUT_WR)
    assert read_line(here, time.monotonic() + PATIENCE) == b"half a line"


def test_who_never_ends_a_line_is_not_read_for_ever(ends: tuple[socket.socket, socket.socket]) -> None:
    here, there = ends
    there.setblocking(False)
    endless = threading.Thread(target=lambda: there.send(b"x" * 4 * LINE_BYTES))
    endless.start()
    assert len(read_line(here, time.monotonic() + PATIENCE)) >= LINE_BYTES
    endless.join()


def test_bytes_that_drip_do_not_move_the_deadline(ends: tuple[socket.socket, socket.socket]) -> None:
    here, there = ends
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.02):
            there.sendall(b".")

    dripping = threading.Thread(target=drip)
    dripping.start()
    with pytest.raises(TimeoutError):
        read_line(here, time.monotonic() + 0.3)
    stop.set()
    dripping.join()
