"""One list on its way: the time that it has, what was left out, how long each stage took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from recommender.app.pipeline.guard import LeftOutError
from recommender.app.pipeline.listed import Timing


@dataclass
class Stage:
    """A stage under way; who works in it says how many movies came out."""

    movies: int | None = None


class ListRun:
    """For one request, and one thread."""

    def __init__(self, budget_ms: int, began: float | None = None) -> None:
        """The time began to run at `began` by `time.perf_counter()`, by default now."""
        self._began = time.perf_counter() if began is None else began
        self._budget = budget_ms / 1000
        self.degraded: list[str] = []
        self.timings: list[Timing] = []

    def until(self, share: float) -> float:
        """When a share of the budget will be used up, by `time.perf_counter()`."""
        return self._began + share * self._budget

    @contextmanager
    def stage(self, name: str, leaves_out: str | None = None) -> Iterator[Stage]:
        """Time a stage; one that does not answer is left out, and the list goes on without it.

        It is then marked as without `leaves_out`, by default the stage itself.
        """
        stage, began = Stage(), time.perf_counter()
        try:
            yield stage
        except LeftOutError:
            self.leave_out(leaves_out or name)
        finally:
            self.record(name, time.perf_counter() - began, stage.movies)

    def record(self, name: str, seconds: float, movies: int | None) -> None:
        """Note a stage that was timed elsewhere."""
        self.timings.append(Timing(name, 1000 * seconds, movies))

    def leave_out(self, name: str) -> None:
        """Mark the list."""
        if name not in self.degraded:
            self.degraded.append(name)
