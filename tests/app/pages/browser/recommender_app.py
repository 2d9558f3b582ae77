"""`recommender app` as a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 300  # seconds, for TensorFlow on a busy machine
QUICK = "budget_ms=20000"  # lists must not be degraded by a busy machine


@contextmanager
def recommender_app(folder: Path, models: Path) -> Iterator[str]:
    """The address of a server within the block; its store, events and log are in `folder`."""
    command = [sys.executable, "-m", "recommender", "app", "port=0", f"model.models={models}", QUICK]
    with (folder / "stderr.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    try:
        address = _address(process, folder / "stderr.log")
        timer.cancel()
        yield address
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, (folder / "stderr.log").read_text()
    finally:
        timer.cancel()
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)
        assert process.stdout is not None
        process.stdout.close()


def _address(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.match(r"http://\S+", line):
            return found.group().replace("localhost", "127.0.0.1")
    raise AssertionError(log.read_text())
