"""Versions are swapped under load without a failed request."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from waiting import eventually

from recommender.serving.servables.events import StateChanged
from recommender.serving.servables.version_status import State

THREADS = 8
SWAPS = 10


class Life:
    """When each version was available and was given up, on one clock."""

    def __init__(self) -> None:
        self.began: dict[int, float] = {}
        self.ended: dict[int, float] = {}

    def __call__(self, event: Any) -> None:
        if isinstance(event, StateChanged):
            now = time.perf_counter()
            if event.status.state is State.LOADING:
                self.began[event.status.version] = now
            if event.status.state is State.END:
                self.ended[event.status.version] = now

    def covers(self, version: int, began: float, ended: float) -> bool:
        """Whether a request from `began` to `ended` may have been answered by this version."""
        return self.began[version] <= ended and began <= self.ended.get(version, ended)


def test_swaps_under_load_fail_no_request(
    saved_models: Any, tmp_path: Path, manage: Any, model: Any, half: Any, states: Any
) -> None:
    """Ten swaps, one of them to a broken folder, while eight threads ask all the time."""
    saved_models.place("half_plus_two", tmp_path / "1")
    life = Life()
    manager = manage([model(tmp_path)], on_event=life)
    answers: list[tuple[float, float, int, float]] = []
    failures: list[Exception] = []
    stopping = threading.Event()

    def ask() -> None:
        try:
            while not stopping.is_set():
                began = time.perf_counter()
                with manager.servable("m") as servable:
                    plus = half.ask(servable)
                answers.append((began, time.perf_counter(), servable.version, plus))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    assert eventually(lambda: answers)
    for version in range(2, SWAPS + 2):
        broken = "garbage" if version == 5 else None
        kind = "half_plus_three" if version % 2 == 0 else "half_plus_two"
        saved_models.place(kind, tmp_path / str(version), broken)
        expected = "END" if broken else "AVAILABLE"
        assert eventually(lambda version=version, expected=expected: states(manager).get(version) == expected)
        answering = version - 1 if broken else version
        assert eventually(lambda answering=answering: answers[-1][2] == answering)
    stopping.set()
    for thread in threads:
        thread.join()

    assert not failures
    assert {version for _, _, version, _ in answers} >= {1, SWAPS + 1}
    for began, ended, version, plus in answers:
        assert plus == (3.0 if version % 2 == 0 else 2.0)
        assert life.covers(version, began, ended)
    assert eventually(lambda: set(states(manager).values()) == {"END", "AVAILABLE"})
    assert [version for version, state in states(manager).items() if state == "AVAILABLE"] == [SWAPS + 1]
