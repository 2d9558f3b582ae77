"""A version is closed when the last request that uses it has finished, not before and not twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from recommender.serving.servables.routes import Lease, Routes
from recommender.serving.servables.shared import Shared


class FakeServable:
    """Stands for a loaded model."""


@pytest.fixture
def idle() -> list[str]:
    return []


@pytest.fixture
def shared(idle: list[str]) -> Shared:
    return Shared(cast(Any, FakeServable()), lambda: idle.append("idle"))


def test_a_lease_holds_off_the_end(shared: Shared, idle: list[str]) -> None:
    routes = {"m": Routes({1: shared}, {})}
    with Lease(routes, "m", None, None) as servable:
        assert servable is shared.servable
        shared.retire()
        assert not idle
        assert not shared.idle
        assert not shared.acquire()
    assert idle == ["idle"]
    assert shared.idle


def test_a_version_that_nobody_uses_ends_at_once(shared: Shared, idle: list[str]) -> None:
    shared.retire()
    assert idle == ["idle"]


def test_a_lease_ends_when_the_request_fails(shared: Shared, idle: list[str]) -> None:
    with pytest.raises(ZeroDivisionError), Lease({"m": Routes({1: shared}, {})}, "m", 1, None):
        raise ZeroDivisionError
    shared.retire()
    assert idle == ["idle"]


def test_a_request_that_meets_a_retired_version_takes_its_successor(shared: Shared) -> None:
    """The routes are replaced before the old version is retired, but a request may have read them before."""
    successor = Shared(cast(Any, FakeServable()), lambda: None)

    class Replaced(dict[str, Routes]):
        def get(self, name: str, default: Any = None) -> Routes:
            answer = super().get(name, default)
            self[name] = Routes({2: successor}, {})
            return answer

    shared.retire()
    with Lease(Replaced(m=Routes({1: shared}, {})), "m", None, None) as servable:
        assert servable is successor.servable


def test_many_threads_leave_the_count_at_zero(shared: Shared, idle: list[str]) -> None:
    routes = {"m": Routes({1: shared}, {})}
    together = threading.Barrier(8)

    def use(_: int) -> None:
        together.wait()
        for _ in range(5000):
            with Lease(routes, "m", None, None):
                pass

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(8)))
    assert not idle
    shared.retire()
    assert idle == ["idle"]
