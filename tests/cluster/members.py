"""`recommender worker` as processes of a cluster on loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PATIENCE = 240  # seconds, for several TensorFlows on a busy machine


class Members:
    """Processes by job and index; `with` kills what is left of them."""

    def __init__(self, folder: Path, jobs: dict[str, int], words: Sequence[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.addresses = _free_addresses(jobs)
        self.processes = {
            (job, index): self._start(job, index, words) for job in jobs for index in range(jobs[job])
        }

    def __enter__(self) -> Members:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()

    def _start(self, job: str, index: int, words: Sequence[str]) -> subprocess.Popen[bytes]:
        tree = {"cluster": self.addresses, "task": {"type": job, "index": index}}
        environ = {**os.environ, "TF_CONFIG": json.dumps(tree), "TF_NUM_INTRAOP_THREADS": "1"}
        with self.log(job, index).open("wb") as log:
            command = [sys.executable, "-m", "recommender", "worker", *words]
            return subprocess.Popen(
                command, env=environ, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder
            )

    def log(self, job: str, index: int) -> Path:
        return self.folder / f"{job}-{index}.log"

    def said(self, job: str, index: int) -> str:
        return self.log(job, index).read_text(encoding="utf-8")

    def kill(self, job: str, index: int) -> None:
        self.processes[job, index].send_signal(signal.SIGKILL)

    def end(self, job: str, index: int) -> int:
        """The exit status of a member, when it has ended."""
        return self.processes[job, index].wait(PATIENCE)

    def wait_until(self, happened: Callable[[], bool]) -> None:
        """Look again and again; fails after `PATIENCE` seconds and where a member has ended."""
        deadline = time.monotonic() + PATIENCE
        while not happened():
            ended = {key: process.poll() for key, process in self.processes.items()}
            assert not any(ended.values()), (ended, [self.said(*key) for key in ended])
            assert time.monotonic() < deadline, [self.said(*key) for key in ended]
            time.sleep(0.05)


def _free_addresses(jobs: dict[str, int]) -> dict[str, list[str]]:
    sockets = {job: [socket.create_server(("127.0.0.1", 0)) for _ in range(jobs[job])] for job in jobs}
    addresses = {
        job: [f"127.0.0.1:{each.getsockname()[1]}" for each in held] for job, held in sockets.items()
    }
    for held in sockets.values():
        for each in held:
            each.close()
    return addresses
