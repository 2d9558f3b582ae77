"""A process that outlives the command that starts it, known again by its id and its start time."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

CLOCK_STEP = 2.0  # seconds by which a process' start time may seem to move when the machine's clock is set


@dataclass(frozen=True)
class Background:
    """A process by its id and when it started, in seconds since 1970: ids are given anew, the pair is not."""

    pid: int
    started: float

    @classmethod
    def start(cls, command: Sequence[str], log: Path) -> Background:
        """Start a command in a session of its own: no Ctrl-C and no closed terminal reaches it.

        All that it says goes to `log`; what was said before is kept beside it, in `<log>.1`.
        """
        if log.exists():
            log.replace(log.with_name(f"{log.name}.1"))
        with log.open("ab") as output:  # appending, so that whoever cuts the log short may do so
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                start_new_session=True,
            )
        return cls(process.pid, psutil.Process(process.pid).create_time())

    def is_running(self) -> bool:
        """Whether it is still there; another process that has got its id is not it."""
        return self._process() is not None

    def stop(self, seconds: float) -> None:
        """Ask it to end and wait, at most `seconds`; then kill it, and with it whatever it started."""
        process = self._process()
        if process is None:
            return
        process.terminate()
        try:
            process.wait(seconds)
        except psutil.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            process.wait()

    def ports(self) -> set[int]:
        """The TCP ports that it or its children listen at."""
        process = self._process()
        if process is None:
            return set()
        found: set[int] = set()
        for member in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                listening = member.net_connections(kind="tcp")
                found |= {place.laddr.port for place in listening if place.status == psutil.CONN_LISTEN}
        return found

    def _process(self) -> psutil.Process | None:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) <= CLOCK_STEP
            if same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None
