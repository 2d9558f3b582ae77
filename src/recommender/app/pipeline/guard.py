"""Asking what may be slow or down, without waiting longer than there is time."""

from __future__ import annotations

import concurrent.futures
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from recommender.app.pipeline.circuit_breaker import CircuitBreaker, State
from recommender.errors import RecommenderError

log = logging.getLogger(__name__)

THREADS = 8

Result = TypeVar("Result")


class LeftOutError(Exception):
    """No answer in time, an error for an answer, or not asked because of those before."""


class Guard:
    """Makes calls on threads of its own, which live as long as it does, behind a circuit breaker.

    A call that fails raises `RecommenderError`; anything else is a fault of the program and is passed on. A
    call that takes too long goes on without anybody waiting for it, and holds its thread until it ends.
    """

    def __init__(self, name: str, breaker: CircuitBreaker | None = None) -> None:
        self.name = name
        self._breaker = breaker or CircuitBreaker()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix=name)

    @property
    def state(self) -> State:
        """The state of the circuit breaker."""
        return self._breaker.state

    def start(self, call: Callable[[], Result], deadline: float) -> Pending[Result]:
        """Begin a call that has until `deadline` by `time.perf_counter()`.

        Raises `LeftOutError` where it is not to be made. That no time is left is nobody's failure: the list
        had waited for its turn.
        """
        if time.perf_counter() >= deadline:
            raise LeftOutError(f"{self.name}: no time left")
        if not self._breaker.lets_through():
            raise LeftOutError(f"{self.name}: not asked, it failed before")
        return Pending(self.name, self._pool.submit(call), deadline, self._breaker)

    def close(self) -> None:
        """Begin no calls any more; those under way are not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class Pending(Generic[Result]):
    """A call under way."""

    def __init__(self, name: str, future: Future[Result], deadline: float, breaker: CircuitBreaker) -> None:
        self._name, self._future, self._deadline, self._breaker = name, future, deadline, breaker

    def result(self) -> Result:
        """The answer, if it comes in time; else `LeftOutError`."""
        try:
            result = self._future.result(max(self._deadline - time.perf_counter(), 0.0))
        except concurrent.futures.TimeoutError:
            self._future.cancel()
            self._breaker.failed()
            raise LeftOutError(f"{self._name}: no answer in time") from None
        except RecommenderError as error:
            self._breaker.failed()
            log.warning("%s: %s", self._name, error)
            raise LeftOutError(f"{self._name}: {error}") from None
        self._breaker.succeeded()
        return result
