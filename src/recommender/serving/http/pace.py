"""Which requests are quick, learned from how long the ones like them took."""

from __future__ import annotations

# A hand-over to a thread and back costs about 0.1 ms and makes the event loop share the interpreter's lock
# with it, which is more than a small model's whole answer; while the loop computes, nobody else is served.
# So what takes less than this runs on the loop, and what takes more in a thread.
QUICK_SECONDS = 0.002
RISE = 0.3  # one slow answer is soon believed, ...
FALL = 0.02  # ... and is forgotten slowly: an answer that blocks the loop harms more than a hand-over
MOST_KINDS = 4096  # clients choose targets


class Pace:
    """Exponentially weighted seconds per kind of request: its target and the power of two of its body."""

    def __init__(self) -> None:
        self._expected: dict[tuple[str, int], float] = {}

    def is_quick(self, target: str, body: bytes) -> bool:
        """Whether requests like this one are known to be quick; what was never seen is not."""
        return self._expected.get((target, len(body).bit_length()), QUICK_SECONDS) < QUICK_SECONDS

    def learn(self, target: str, body: bytes, seconds: float, succeeded: bool) -> None:
        """Take in how long a request took.

        Failures are quick as a rule and say nothing of the model, so that of these only one that took longer
        than expected counts: wording what is wrong with a long body blocks the loop too.
        """
        kind = (target, len(body).bit_length())
        expected = self._expected.get(kind)
        if not succeeded and (expected is None or seconds < expected):
            return
        if expected is None:
            if len(self._expected) >= MOST_KINDS:
                self._expected.clear()
            self._expected[kind] = seconds
        else:
            weight = RISE if seconds > expected else FALL
            self._expected[kind] = expected + weight * (seconds - expected)
