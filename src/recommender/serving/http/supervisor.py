"""Keeps the workers running: starts them, starts crashed ones again, and passes on the wish to stop.

It imports no TensorFlow, holds no connection and so has little that could fail.
"""

from __future__ import annotations

import logging
import selectors
import signal
import socket
import tempfile
import time
from pathlib import Path

from recommender.errors import RecommenderError
from recommender.serving.http.listening import bind, url
from recommender.serving.http.options import ServeOptions
from recommender.serving.http.worker_process import WorkerProcess

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
SHORT_LIFE_SECONDS = 10.0  # who crashes sooner has crashed at once
MOST_CRASHES = 5  # at once, one after the other
FIRST_PAUSE_SECONDS = 0.2  # before a crashed worker is started again; doubled with each crash at once
KILL_MARGIN_SECONDS = 5.0  # past the workers' own grace time

log = logging.getLogger(__name__)


def supervise(options: ServeOptions) -> int:
    """Serve until told to stop by a signal; the exit status, 0 where every request in flight was finished.

    Raises `RecommenderError` where the port or the configuration cannot be used, or workers keep crashing.
    """
    options.check()
    with (
        bind(options.host, options.rest_api_port) as listener,
        tempfile.TemporaryDirectory(prefix="recommender-serve-") as folder,
    ):
        return Supervisor(options, listener, Path(folder)).run()


class Supervisor:
    """Runs `options.workers` workers on one socket; `folder` is where they find each other."""

    def __init__(self, options: ServeOptions, listener: socket.socket, folder: Path) -> None:
        self._options = options
        self._listener = listener
        self._folder = folder
        self._workers: dict[int, WorkerProcess] = {}
        self._starts: dict[int, float] = dict.fromkeys(range(options.workers), 0.0)  # when, by worker
        self._selector = selectors.DefaultSelector()
        self._crashes = dict.fromkeys(range(options.workers), 0)  # at once and in a row
        self._announced = False
        self._stopping_since: float | None = None
        self._status = 0

    def run(self) -> int:
        """Until the last worker has ended."""
        woken, wake = socket.socketpair()
        for end in (woken, wake):
            end.setblocking(False)
        self._selector.register(woken, selectors.EVENT_READ)
        before = {number: signal.signal(number, _wake_only) for number in _signals()}
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        try:
            while self._stopping_since is None or self._workers:
                self._start_due()
                self._wait(woken)
                self._reap()
                self._kill_overdue()
        finally:
            for worker in self._workers.values():
                worker.signal(signal.SIGKILL)
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)
        return self._status

    def _start_due(self) -> None:
        now = time.monotonic()
        for number in [number for number, due in self._starts.items() if due <= now]:
            del self._starts[number]
            worker = WorkerProcess(number, self._options, self._listener, self._folder)
            self._workers[number] = worker
            self._selector.register(worker.channel, selectors.EVENT_READ, worker)

    def _wait(self, woken: socket.socket) -> None:
        """Until a signal, a word from a worker, or the time of the next start."""
        timeout = None
        if self._stopping_since is not None:
            timeout = 0.5
        elif self._starts:
            timeout = max(0.0, min(self._starts.values()) - time.monotonic())
        for key, _ in self._selector.select(timeout):
            if key.fileobj is woken:
                for number in woken.recv(4096):
                    if number in STOP_SIGNALS:
                        self._stop()
            elif not key.data.read():
                self._selector.unregister(key.data.channel)
        self._announce()

    def _announce(self) -> None:
        """Tell once that all workers answer."""
        ready = [worker.models for worker in self._workers.values() if worker.models is not None]
        if self._announced or self._stopping_since is not None or len(ready) < self._options.workers:
            return
        self._announced = True
        where = url(self._listener)
        for name, versions in ready[0].items():
            numbers = ", ".join(map(str, versions)) or "none yet"
            noun = "version" if len(versions) < 2 else "versions"
            print(f"serving {name}, {noun} {numbers}, at {where}/v1/models/{name}", flush=True)

    def _stop(self) -> None:
        """The first time, let workers finish what they have begun; the second time end them at once."""
        if self._stopping_since is not None:
            self._status = 1
            for worker in self._workers.values():
                worker.signal(signal.SIGKILL)
            return
        self._stopping_since = time.monotonic()
        self._starts.clear()
        self._listener.close()
        for worker in self._workers.values():
            worker.signal(signal.SIGTERM)

    def _kill_overdue(self) -> None:
        grace = self._options.limits().grace_seconds + KILL_MARGIN_SECONDS
        if self._stopping_since is not None and time.monotonic() > self._stopping_since + grace:
            self._status = 1
            for worker in self._workers.values():
                worker.signal(signal.SIGKILL)

    def _reap(self) -> None:
        for number, worker in list(self._workers.items()):
            if worker.ended is None:
                continue
            del self._workers[number]
            self._hear_last(worker)
            if self._stopping_since is None:
                self._replace(worker)
            elif worker.ended and worker.models is not None:
                self._status = 1

    def _hear_last(self, worker: WorkerProcess) -> None:
        """Take in what a worker said before it ended."""
        if worker.channel in self._selector.get_map():
            while worker.read():
                pass
            self._selector.unregister(worker.channel)
        worker.channel.close()

    def _replace(self, worker: WorkerProcess) -> None:
        """Start another one in place of a crashed one, after a pause that grows while they crash at once."""
        if worker.error is not None:
            raise worker.error
        if worker.models is None and (worker.ended or 0) >= 0:
            raise RecommenderError(f"worker {worker.number} {worker.describe_end()} before it could answer")
        short = worker.models is None or time.monotonic() - worker.started < SHORT_LIFE_SECONDS
        crashes = self._crashes[worker.number] + 1 if short else 1
        self._crashes[worker.number] = crashes
        if crashes >= MOST_CRASHES:
            raise RecommenderError(
                f"worker {worker.number} crashed {crashes} times in a row at once, the last time it "
                f"{worker.describe_end()}; giving up"
            )
        pause = FIRST_PAUSE_SECONDS * 2 ** (crashes - 1)
        log.error(
            "worker %d (pid %d) %s; another one starts in %.1f s",
            worker.number,
            worker.pid,
            worker.describe_end(),
            pause,
        )
        self._starts[worker.number] = time.monotonic() + pause


def _signals() -> list[signal.Signals]:
    """Those to wait for; what is ignored, as SIGHUP under nohup, stays so."""
    stops = [number for number in STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    return [*stops, signal.SIGCHLD]


def _wake_only(number: int, frame: object) -> None:
    """Handled through the wake-up socket, where it can be waited for together with the workers."""
