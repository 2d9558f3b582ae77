"""Connections of which every thread has its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """What has to be let go of."""

    def close(self) -> object:
        """Let go."""
        ...


Connection = TypeVar("Connection", bound=Closable)


class PerThread(Generic[Connection]):
    """Makes a connection for each thread that asks, and closes those of threads that have ended.

    A server's threads come and go with its load; what each of them opened would else stay for ever.
    """

    def __init__(self, make: Callable[[], Connection]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: list[tuple[threading.Thread, Connection]] = []
        self._local = threading.local()

    def get(self) -> Connection:
        """This thread's."""
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._make()
            self._close_left_behind((threading.current_thread(), connection))
        return connection

    def close(self) -> None:
        """Close all; who asks later gets a new one."""
        with self._lock:
            made, self._made = self._made, []
            self._local = threading.local()
        for _, connection in made:
            connection.close()

    def _close_left_behind(self, new: tuple[threading.Thread, Connection]) -> None:
        kept: list[tuple[threading.Thread, Connection]] = [new]
        left: list[tuple[threading.Thread, Connection]] = []
        with self._lock:
            for pair in self._made:
                (kept if pair[0].is_alive() else left).append(pair)
            self._made = kept
        for _, connection in left:
            connection.close()
