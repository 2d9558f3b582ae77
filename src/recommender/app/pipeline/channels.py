"""Asking all channels of a variant side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from recommender.app.candidates.channel import Asked, Channel, Sources, build_channel
from recommender.app.models.asked_model import Scored
from recommender.app.pipeline.guard import Guard, LeftOutError
from recommender.app.pipeline.list_run import ListRun
from recommender.app.pipeline.merging import Candidate, merge
from recommender.app.settings import AppSettings

FILL = "recent"  # fills up what other channels leave empty: it always has something


@dataclass(frozen=True)
class Timed:
    """What a channel gave, and how long it took."""

    found: Scored
    seconds: float


class Channels:
    """Every channel that some variant asks. `guards` are by what channels wait for."""

    def __init__(self, settings: AppSettings, sources: Sources, guards: Mapping[str, Guard]) -> None:
        """Raises `ConfigError` for a channel that is none."""
        names = {FILL, *(name for variant in settings.variants.values() for name in variant.channels)}
        self._channels = {name: build_channel(name, sources) for name in sorted(names)}
        self._guards = guards

    def candidates(
        self, asked: Asked, limits: Mapping[str, int], n: int, run: ListRun, deadline: float
    ) -> list[Candidate]:
        """Candidates of all channels, merged, at least `n` of them where so many movies are open.

        What does not answer is left out; popular movies fill up what is then missing.
        """
        found = self._ask(asked, limits, run, deadline)
        with run.stage("merge") as stage:
            merged = merge(found, limits, asked)
            if len(merged) < n:
                merged += self._fill(asked, merged, n)
            stage.movies = len(merged)
        return merged

    def popular(self, asked: Asked, n: int) -> list[Candidate]:
        """What is popular, for when nothing is known of the user."""
        return self._fill(asked, [], n)

    def _ask(
        self, asked: Asked, limits: Mapping[str, int], run: ListRun, deadline: float
    ) -> dict[str, Scored]:
        """What each channel gave, in the variant's order: those that wait begin first, on other threads."""
        pending = {}
        for name, limit in limits.items():
            if waits_for := self._channels[name].waits_for:
                try:
                    pending[name] = self._guards[waits_for].start(self._call(name, asked, limit), deadline)
                except LeftOutError:
                    run.leave_out(name)
        ready = {name: self._call(name, asked, limits[name])() for name in limits if self._is_quick(name)}
        for name, answer in pending.items():
            try:
                ready[name] = answer.result()
            except LeftOutError:
                run.leave_out(name)
        for name in limits:
            if name in ready:
                run.record(name, ready[name].seconds, len(ready[name].found))
        return {name: ready[name].found for name in limits if name in ready}

    def _is_quick(self, name: str) -> bool:
        return not self._channels[name].waits_for

    def _call(self, name: str, asked: Asked, limit: int) -> Callable[[], Timed]:
        channel: Channel = self._channels[name]

        def call() -> Timed:
            began = time.perf_counter()
            found = channel.candidates(asked, limit)
            return Timed(found, time.perf_counter() - began)

        return call

    def _fill(self, asked: Asked, merged: list[Candidate], n: int) -> list[Candidate]:
        there = {candidate.movie_id for candidate in merged}
        found = self._channels[FILL].candidates(asked, n)
        more = [Candidate(movie_id, 0.0, (FILL,)) for movie_id, _ in found if movie_id not in there]
        return more[: n - len(merged)]
