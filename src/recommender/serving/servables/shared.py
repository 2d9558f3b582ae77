"""Counting who uses a version, so that it is not closed under a request."""

from __future__ import annotations

import threading
from collections.abc import Callable

from recommender.serving.servables.servable import Servable


class Shared:
    """A servable and how many requests are using it."""

    __slots__ = ("_in_use", "_lock", "_on_idle", "_retired", "servable")

    def __init__(self, servable: Servable, on_idle: Callable[[], None]) -> None:
        """`on_idle` is called once, when the servable is retired and the last request has finished."""
        self.servable = servable
        self._lock = threading.Lock()
        self._in_use = 0
        self._retired = False
        self._on_idle = on_idle

    @property
    def idle(self) -> bool:
        """Whether it is retired and nobody uses it any more."""
        return self._retired and not self._in_use

    def acquire(self) -> bool:
        """Use it; False where it is being unloaded."""
        with self._lock:
            if self._retired:
                return False
            self._in_use += 1
            return True

    def release(self) -> None:
        """Use it no longer."""
        with self._lock:
            self._in_use -= 1
            idle = self.idle
        if idle:
            self._on_idle()

    def retire(self) -> None:
        """Give it to nobody any more."""
        with self._lock:
            self._retired = True
            idle = self.idle
        if idle:
            self._on_idle()
