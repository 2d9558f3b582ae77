"""What a client may cost: bytes, seconds, connections."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one worker; the seconds are watched coarsely, a few times each.

    `head_seconds` and `request_seconds` run from a request's first byte to the end of its headers and of its
    body, `idle_seconds` is how long a connection may stay without a request, `write_seconds` how long a
    client may read nothing of an answer, `linger_seconds` how long a refused client may still send, and
    `grace_seconds` how long requests in flight may take after the server was told to stop.
    """

    max_body_bytes: int = 16 * MEBIBYTE  # after decompression too
    max_head_bytes: int = 32 * 1024
    head_seconds: float = 10.0
    request_seconds: float = 60.0
    idle_seconds: float = 75.0
    write_seconds: float = 30.0
    linger_seconds: float = 2.0
    grace_seconds: float = 30.0
    connections: int = 1000

    @property
    def watch_seconds(self) -> float:
        """How often connections are looked at."""
        shortest = min(
            self.head_seconds,
            self.request_seconds,
            self.idle_seconds,
            self.write_seconds,
            self.linger_seconds,
        )
        return min(0.25, shortest / 4)
