"""Whether the other members of a cluster still answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence

from recommender.cluster.tf_config import Member

CONNECT_SECONDS = 1.0  # for one try; a peer is given up after many


def answers(member: Member) -> bool:
    """Whether somebody listens at a member's address."""
    host, _, port = member.address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS):
            return True
    except OSError:
        return False


class PeerWatch:
    """Says who is missing: each of `needed`, or all of `one_of` together.

    A member that has never answered is missing after `start_timeout` seconds, one that has after
    `peer_timeout`. Only looks whether its port is open: a process that hangs is not found here, but by
    TensorFlow's own heartbeats.
    """

    def __init__(
        self,
        needed: Sequence[Member],
        one_of: Sequence[Member],
        start_timeout: float,
        peer_timeout: float,
        *,
        answers: Callable[[Member], bool] = answers,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.needed = list(needed)
        self.one_of = list(one_of)
        self.start_timeout = start_timeout
        self.peer_timeout = peer_timeout
        self._answers = answers
        self._clock = clock
        self._started = clock()
        self._last: dict[Member, float] = {}

    def missing(self) -> str | None:
        """Ask everybody once; one line if somebody has been missing for too long."""
        for member in (*self.needed, *self.one_of):
            if self._answers(member):
                self._last[member] = self._clock()
        lost = [line for line in map(self._lost, self.needed) if line]
        if lost:
            return lost[0]
        lost = [line for line in map(self._lost, self.one_of) if line]
        return f"none of the workers is there: {lost[0]}" if lost and len(lost) == len(self.one_of) else None

    def has_answered(self, member: Member) -> bool:
        """Whether a member was ever there."""
        return member in self._last

    def silent(self) -> list[Member]:
        """Who does not answer now."""
        return [member for member in (*self.needed, *self.one_of) if not self._answers(member)]

    def _lost(self, member: Member) -> str | None:
        now = self._clock()
        if member not in self._last:
            late = now - self._started > self.start_timeout
            return f"{member} did not come up within {self.start_timeout:g} s" if late else None
        gone = now - self._last[member] > self.peer_timeout
        return f"{member} has not answered for {self.peer_timeout:g} s" if gone else None
