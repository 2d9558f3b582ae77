"""How fast one client may ask: a bucket of tokens each."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

from recommender.app.settings import LimitSettings

MOST_CLIENTS = 10_000  # remembered at once; the ones longest not seen are forgotten first


class RateLimit:
    """A bucket holds `burst` tokens and gets `requests_per_second` a second; a request takes one.

    For one thread: the server's event loop.
    """

    def __init__(self, limits: LimitSettings, clock: Callable[[], float]) -> None:
        self._rate, self._burst = limits.requests_per_second, limits.burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, when

    def wait(self, client: str) -> int:
        """0 where the request may go on, else after how many seconds to try again."""
        if not self._rate:
            return 0
        now = self._clock()
        tokens, when = self._buckets.get(client, (float(self._burst), now))
        tokens = min(float(self._burst), tokens + (now - when) * self._rate)
        may_go_on = tokens >= 1
        self._buckets[client] = (tokens - may_go_on, now)
        self._buckets.move_to_end(client)
        if len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        return 0 if may_go_on else max(1, math.ceil((1 - tokens) / self._rate))
