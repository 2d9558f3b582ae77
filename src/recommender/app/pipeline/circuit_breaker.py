"""Not asking what does not answer.

The pattern is that of M. Nygard, "Release It!" (2007): after failures in a row the circuit opens, and calls
fail at once instead of each waiting for its time limit; after a pause one call is let through to see.
"""

from __future__ import annotations

import threading
import time
from typing import Literal

FAILURES = 5  # in a row
PAUSE = 2.0  # seconds

State = Literal["closed", "open", "half-open"]


class CircuitBreaker:
    """Safe to use from several threads."""

    def __init__(self, failures: int = FAILURES, pause: float = PAUSE) -> None:
        self._failures, self._pause = failures, pause
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._next_try = 0.0

    @property
    def state(self) -> State:
        """`open` refuses calls; `half-open` lets the next one through, and one each pause from then on."""
        with self._lock:
            if self._in_a_row < self._failures:
                return "closed"
            return "half-open" if time.monotonic() >= self._next_try else "open"

    def lets_through(self) -> bool:
        """Whether to make a call now; who makes it says how it went."""
        with self._lock:
            if self._in_a_row < self._failures:
                return True
            now = time.monotonic()
            if now < self._next_try:
                return False
            self._next_try = now + self._pause  # a try that is never heard of again holds up nobody
            return True

    def succeeded(self) -> None:
        """A call was answered."""
        with self._lock:
            self._in_a_row = 0

    def failed(self) -> None:
        """A call failed or took too long."""
        with self._lock:
            self._in_a_row += 1
            if self._in_a_row >= self._failures:
                self._next_try = time.monotonic() + self._pause
