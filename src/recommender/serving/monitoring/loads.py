"""Counting what the model manager does."""

from __future__ import annotations

from recommender.serving.monitoring.metrics import Metrics
from recommender.serving.servables.events import Event, LoadAttempted, OnEvent
from recommender.serving.status import Code


def count_loads(metrics: Metrics) -> OnEvent:
    """What to hand a `ModelManager` so that attempts to load, their time and that of warm-up are counted."""

    def count(event: Event) -> None:
        if isinstance(event, LoadAttempted):
            folder = str(event.folder)
            metrics.load(folder, event.load_seconds, event.code is Code.OK)
            if event.warm_up_seconds is not None:
                metrics.warmup(folder, event.warm_up_seconds, event.code)

    return count
