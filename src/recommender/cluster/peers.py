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
        self._answered: set[Member] = set()
        self._silent_since: dict[Member, float] = {}  # by the first look in vain since the last answer

    def missing(self) -> str | None:
        """Ask everybody once; one line if somebody has been missing for too long."""
        needed = [line for line in map(self._look, self.needed) if line]
        one_of = [line for line in map(self._look, self.one_of) if line]
        if needed:
            return needed[0]
        all_lost = one_of and len(one_of) == len(self.one_of)
        return f"none of the workers is there: {one_of[0]}" if all_lost else None

    def has_answered(self, member: Member) -> bool:
        """Whether a member was ever there."""
        return member in self._answered

    def silent(self) -> list[Member]:
        """Who does not answer now."""
        return [member for member in (*self.needed, *self.one_of) if not self._answers(member)]

    def _look(self, member: Member) -> str | None:
        """Ask one; judged by the time of this look: looks in vain at many others take a second each."""
        if self._answers(member):
            self._answered.add(member)
            self._silent_since.pop(member, None)
            return None
        now = self._clock()
        if member not in self._answered:
            late = now - self._started > self.start_timeout
            return f"{member} did not come up within {self.start_timeout:g} s" if late else None
        gone = now - self._silent_since.setdefault(member, now) > self.peer_timeout
        return f"{member} has not answered for {self.peer_timeout:g} s" if gone else None
