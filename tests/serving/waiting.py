"""Waiting for what another thread or process is to bring about."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST = 30.0  # seconds; only a broken program waits as long


def eventually(condition: Callable[[], object]) -> bool:
    """Whether the condition comes true."""
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False
