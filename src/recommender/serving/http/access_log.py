"""One line of JSON per request, written by a thread of its own.

The event loop only appends to a list. Where the disk or the terminal does not keep up, lines are dropped and
counted rather than held or waited for.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from functools import lru_cache
from pathlib import Path

from recommender.errors import ConfigError

FLUSH_SECONDS = 0.5
MOST_WAITING = 100_000  # lines


class AccessLog:
    """Writes to `path`, or to standard error without one. A file that was moved away is made anew."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lines: list[str] = []
        self._dropped = 0
        self._stopped = threading.Event()
        self._file = open_log(path)
        self._thread = threading.Thread(target=self._run, name="access log", daemon=True)
        self._thread.start()

    def add(
        self, client: str, request_id: str, method: str, target: str, status: int, size: int, ms: float
    ) -> None:
        """Note a request that was answered; the strings but `target` hold nothing that JSON would escape."""
        if len(self._lines) >= MOST_WAITING:
            self._dropped += 1
            return
        self._lines.append(
            f'{{"time":"{_time(int(time.time()))}","id":"{request_id}","client":"{client}",'
            f'"method":"{method}","target":{_quoted(target)},"status":{status},"bytes":{size},"ms":{ms:.3f}}}\n'
        )

    def close(self) -> None:
        """Write what is waiting and stop."""
        self._stopped.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopped.wait(FLUSH_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        lines = self._lines[:]
        del self._lines[: len(lines)]  # what the loop appends meanwhile stays
        dropped, self._dropped = self._dropped, 0
        if dropped:
            lines.append(f'{{"time":"{_time(int(time.time()))}","dropped":{dropped}}}\n')
        if not lines:
            return
        try:
            self._follow_rotation()
            self._write("".join(lines).encode("utf-8", "replace"))
        except OSError as error:
            logging.getLogger(__name__).error("access log: %d lines are lost: %s", len(lines), error)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._file, data) :]

    def _follow_rotation(self) -> None:
        if self._path is None:
            return
        try:
            moved = self._path.stat().st_ino != os.fstat(self._file).st_ino
        except FileNotFoundError:
            moved = True
        if moved:
            os.close(self._file)
            self._file = open_log(self._path)


def open_log(path: Path | None) -> int:
    """The descriptor to append lines to; raises `ConfigError` where the file cannot be written."""
    if path is None:
        return sys.stderr.fileno()
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    except OSError as error:
        raise ConfigError(f"access_log: {path}: cannot be written: {error.strerror}") from None


@lru_cache(maxsize=2)
def _time(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


@lru_cache(maxsize=1024)
def _quoted(target: str) -> str:
    return json.dumps(target)
