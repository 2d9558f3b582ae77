"""Waiting no longer than there is time for what may be slow or down."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from recommender.app.pipeline.circuit_breaker import CircuitBreaker
from recommender.app.pipeline.guard import THREADS, Guard, LeftOutError
from recommender.errors import RecommenderError

LONG = 60.0  # seconds; no test waits as long


def after(seconds: float) -> float:
    return time.perf_counter() + seconds


@pytest.fixture
def guard() -> Iterator[Guard]:
    guard = Guard("model", CircuitBreaker(failures=2, pause=LONG))
    yield guard
    guard.close()


def down() -> None:
    raise RecommenderError("the model is down")


def test_an_answer_in_time_is_passed_on(guard: Guard) -> None:
    assert guard.start(lambda: 42, after(LONG)).result() == 42


def test_calls_run_side_by_side(guard: Guard) -> None:
    meeting = threading.Barrier(3)
    calls = [guard.start(lambda: meeting.wait(LONG), after(LONG)) for _ in range(3)]
    assert sorted(call.result() for call in calls) == [0, 1, 2]


def test_what_is_not_there_in_time_is_left_out(guard: Guard) -> None:
    go_on = threading.Event()
    with pytest.raises(LeftOutError, match="model: no answer in time"):
        guard.start(lambda: go_on.wait(LONG), after(0.5)).result()
    go_on.set()


def test_what_had_no_time_at_all_is_not_begun_and_nobody_is_blamed(guard: Guard) -> None:
    begun = threading.Event()
    for _ in range(3):
        with pytest.raises(LeftOutError, match="no time left"):
            guard.start(begun.set, after(-1.0))
    assert guard.state == "closed"
    guard.close()
    assert not begun.is_set()


def test_an_error_of_ours_is_left_out(guard: Guard) -> None:
    with pytest.raises(LeftOutError, match="the model is down"):
        guard.start(down, after(LONG)).result()


def test_a_fault_of_the_program_is_not_hidden(guard: Guard) -> None:
    with pytest.raises(ZeroDivisionError):
        guard.start(lambda: 1 / 0, after(LONG)).result()


def test_what_fails_again_and_again_is_not_asked_any_more(guard: Guard) -> None:
    asked = []
    for _ in range(5):
        with pytest.raises(LeftOutError):
            guard.start(lambda: (asked.append(1), down()), after(LONG)).result()
    assert len(asked) == 2
    assert guard.state == "open"


def test_what_hangs_does_not_pile_up() -> None:
    guard = Guard("model", CircuitBreaker(failures=1_000))
    go_on = threading.Event()
    began = []

    def hang() -> None:
        began.append(1)
        go_on.wait(LONG)

    calls = [guard.start(hang, after(1.0)) for _ in range(50)]
    for call in calls:
        with pytest.raises(LeftOutError):
            call.result()
    go_on.set()
    assert guard.start(lambda: "the next", after(LONG)).result() == "the next"
    assert len(began) <= THREADS  # those that a thread had taken on; the others were called off
    guard.close()
