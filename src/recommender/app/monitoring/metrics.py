"""Numbers for Prometheus: requests, lists and their stages, ratings, events, versions."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from recommender.app.answers import Event, Recommendations
from recommender.app.pipeline.circuit_breaker import State

disable_created_metrics()  # else every counter has a twin that says when it began
SECONDS = (0.001, 0.002, 0.004, 0.006, 0.01, 0.02, 0.04, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """A registry of its own, so that several applications can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "recommender_requests",
            "Answers by route, method and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "recommender_request_seconds",
            "Time to answer, by route.",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._stages = Histogram(
            "recommender_stage_seconds",
            "Time of each stage of a list.",
            ["stage"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._lists = Counter(
            "recommender_lists", "Lists by variant.", ["model", "assigned_by"], registry=self.registry
        )
        self._degraded = Counter(
            "recommender_degraded", "Lists made without something, by what.", ["kind"], registry=self.registry
        )
        self._ratings = Counter("recommender_ratings", "Ratings that were stored.", registry=self.registry)
        self._events = Counter(
            "recommender_events",
            "Events by kind, and whether they refer to a list that is known.",
            ["kind", "counts"],
            registry=self.registry,
        )
        self._model = Gauge("recommender_model_version", "The version that answers.", registry=self.registry)
        self._store = Gauge(
            "recommender_store_version", "The current version of the features.", registry=self.registry
        )
        self._left_out = Gauge(
            "recommender_left_out",
            "1 for a part of lists that is not asked for now, as it did not answer.",
            ["part"],
            registry=self.registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request has been answered; `route` is its pattern, never its path."""
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def listed(self, answer: Recommendations) -> None:
        """A list has been made."""
        self._lists.labels(answer.model, answer.assigned_by).inc()
        for kind in answer.degraded:
            self._degraded.labels(kind).inc()
        for stage in answer.inside:
            self._stages.labels(stage.name).observe(stage.milliseconds / 1000)

    def rated(self) -> None:
        """A rating has been stored."""
        self._ratings.inc()

    def recorded(self, event: Event, counts: bool) -> None:
        """An event has been logged."""
        self._events.labels(event.kind, str(counts).lower()).inc()

    def page(
        self, model_version: int | None, store_version: int | None, breakers: Mapping[str, State]
    ) -> bytes:
        """All numbers in Prometheus' text format; versions are NaN while nobody knows them."""
        for part, state in breakers.items():
            self._left_out.labels(part).set(state != "closed")
        for gauge, version in ((self._model, model_version), (self._store, store_version)):
            gauge.set(float("nan") if version is None else version)
        return generate_latest(self.registry)
