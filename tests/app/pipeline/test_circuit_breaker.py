"""When calls are made and when not."""

from __future__ import annotations

import pytest

from recommender.app.pipeline import circuit_breaker
from recommender.app.pipeline.circuit_breaker import CircuitBreaker


class Clock:
    """Goes on only when it is told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(circuit_breaker, "time", clock)
    return clock


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    """Opens after three failures, for ten seconds."""
    return CircuitBreaker(failures=3, pause=10.0)


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        assert breaker.lets_through()
        breaker.failed()


def test_opens_after_failures_in_a_row(breaker: CircuitBreaker) -> None:
    fail(breaker, 3)
    assert breaker.state == "open"
    assert not breaker.lets_through()


def test_a_success_in_between_begins_the_row_again(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)
    assert breaker.state == "closed"


def test_after_the_pause_one_call_is_let_through(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.seconds += 10
    assert breaker.state == "half-open"
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]


def test_that_call_closes_it_or_opens_it_for_another_pause(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.seconds += 10
    assert breaker.lets_through()
    breaker.failed()
    clock.seconds += 9
    assert not breaker.lets_through()
    clock.seconds += 1
    assert breaker.lets_through()
    breaker.succeeded()
    assert breaker.state == "closed"
    assert all(breaker.lets_through() for _ in range(5))


def test_a_try_that_is_never_heard_of_again_does_not_keep_it_open(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    fail(breaker, 3)
    clock.seconds += 10
    assert breaker.lets_through()  # and whoever made the call is gone
    clock.seconds += 10
    assert breaker.lets_through()
