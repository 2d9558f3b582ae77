"""Counting what happens, from any thread."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock

from recommender.serving.monitoring.families import (
    BUCKET_LIMITS,
    BUCKETS,
    FAMILIES,
    LOAD_ATTEMPTS,
    LOAD_LATENCY,
    REQUEST_LATENCY,
    REQUESTS,
    WARMUP_LATENCY,
    Family,
)
from recommender.serving.status import Code

# A client chooses the names that failed requests are counted under; past so many they share one without name.
MOST_REQUEST_SERIES = 1000

Labels = tuple[str, ...]


@dataclass(slots=True)
class Histogram:
    """How many values fell between the limits of `BUCKET_LIMITS`, and their sum."""

    counts: list[int] = field(default_factory=lambda: [0] * BUCKETS)
    total: float = 0.0

    def add(self, value: float) -> None:
        """Count a value; as in TensorFlow, one that equals a limit belongs to the bucket above it."""
        self.counts[bisect_right(BUCKET_LIMITS, value)] += 1
        self.total += value

    def merge(self, other: Histogram) -> None:
        """Add everything that another histogram has counted."""
        self.counts = [ours + theirs for ours, theirs in zip(self.counts, other.counts, strict=True)]
        self.total += other.total


class Metrics:
    """The counters and histograms of one process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.counters: dict[tuple[Family, Labels], int] = {}
        self.histograms: dict[tuple[Family, Labels], Histogram] = {}

    def request(self, model: str, verb: str, code: Code, seconds: float) -> None:
        """Count a request; as in Serving's http_server.cc only the latency of successful ones is kept."""
        with self._lock:
            key = (REQUESTS, (model, code.name))
            if code is Code.OK:
                self._add((REQUEST_LATENCY, (model, verb, "REST")), seconds)
            elif key not in self.counters and len(self.counters) >= MOST_REQUEST_SERIES:
                key = (REQUESTS, ("", code.name))
            self.counters[key] = self.counters.get(key, 0) + 1

    def load(self, model_path: str, seconds: float, succeeded: bool) -> None:
        """Count an attempt to load a version."""
        with self._lock:
            attempts = (LOAD_ATTEMPTS, (model_path, "success" if succeeded else "fail"))
            self.counters[attempts] = self.counters.get(attempts, 0) + 1
            if succeeded:
                latency = (LOAD_LATENCY, (model_path,))
                self.counters[latency] = self.counters.get(latency, 0) + round(seconds * 1e6)

    def warmup(self, model_path: str, seconds: float, code: Code) -> None:
        """Keep how long a version took to warm up."""
        with self._lock:
            self._add((WARMUP_LATENCY, (model_path, code.name)), seconds)

    def snapshot(self) -> list[list[object]]:
        """Everything counted, as JSON can carry it; `merge` reads it back."""
        with self._lock:
            return [[key[0].name, *key[1], value] for key, value in self.counters.items()] + [
                [key[0].name, *key[1], [*value.counts, value.total]] for key, value in self.histograms.items()
            ]

    def merge(self, snapshot: Iterable[list]) -> None:
        """Add what another process has counted."""
        with self._lock:
            for name, *labels, value in snapshot:
                key = (_FAMILY[name], tuple(labels))
                if key[0].histogram:
                    self.histograms.setdefault(key, Histogram()).merge(Histogram(value[:-1], value[-1]))
                else:
                    self.counters[key] = self.counters.get(key, 0) + value

    def _add(self, key: tuple[Family, Labels], seconds: float) -> None:
        histogram = self.histograms.get(key)
        if histogram is None:
            histogram = self.histograms[key] = Histogram()
        histogram.add(seconds * 1e6)


_FAMILY = {family.name: family for family in FAMILIES}
