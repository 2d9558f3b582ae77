"""The name of a request in the log and in the answer's `X-Request-Id`."""

from __future__ import annotations

import re
from itertools import count
from secrets import token_hex

_WELL_FORMED = re.compile(rb"[A-Za-z0-9._:\-]{1,128}")
_PROCESS = token_hex(6)
_NUMBERS = count(1)


def read_request_id(value: bytes) -> str:
    """The client's own id; empty where it has characters that do not belong into a log or header."""
    return value.decode("ascii") if _WELL_FORMED.fullmatch(value) else ""


def new_request_id() -> str:
    """An id that no other request of any worker has."""
    return f"{_PROCESS}-{next(_NUMBERS):x}"
