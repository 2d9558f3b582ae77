"""`recommender serve` as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests

PATIENCE = 120  # seconds, for TensorFlow on a busy machine


def command(*flags: str) -> list[str]:
    return [sys.executable, "-m", "recommender", "serve", *flags]


class Server:
    """A running server; `url` is of its first model."""

    def __init__(self, folder: Path, flags: tuple[str, ...]) -> None:
        self.log = folder / "stderr.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command(*flags), stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder
            )
        assert self.process.stdout is not None
        timer = threading.Timer(PATIENCE, self.process.kill)
        timer.start()
        self.line = self.process.stdout.readline()
        timer.cancel()
        found = re.search(r"http://\S+", self.line)
        assert found, (self.line, self.log.read_text())
        self.url = found.group()
        self.base = self.url.partition("/v1/")[0]

    @property
    def workers(self) -> list[psutil.Process]:
        """The worker processes, each at the end of its command line numbered."""
        return psutil.Process(self.process.pid).children()

    def predict(self, value: float) -> requests.Response:
        """On a connection of its own."""
        headers = {"Connection": "close"}
        return requests.post(
            f"{self.url}:predict", json={"instances": [value]}, headers=headers, timeout=PATIENCE
        )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(folder: Path, *flags: str) -> Iterator[Server]:
    """Serve on a free port within the block."""
    server = Server(folder, ("--rest_api_port=0", *flags))
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.process.wait(PATIENCE)
        assert server.process.stdout is not None
        server.process.stdout.close()


def until(true: object) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + PATIENCE
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.05)


def gone(pid: int) -> bool:
    """Whether a process has ended, be it only to be waited for."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
