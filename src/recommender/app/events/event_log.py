"""The event log: JSON lines in a folder, a file for each day and process, only ever appended to.

When a record is on the disk: within a tenth of a second after it was given, by a thread that writes and syncs
what has come in meanwhile; `close` writes the rest. Nobody waits for the disk: a process that is killed, or a
machine without power, loses what came in the last tenth of a second. A line that was cut off then is the last
one of its file, as every process writes files of its own, and readers skip it.
"""

from __future__ import annotations

import logging
import os
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path

from recommender.app.events.counted import count_folder, save_counted
from recommender.app.events.records import Record, to_line

log = logging.getLogger(__name__)

EVERY = 0.1  # seconds
# Records after which what was counted is saved: a start after a kill reads as many. Of several processes in
# one folder the last to save wins, and a start reads what the others wrote since that one began.
SAVED_EVERY = 50_000
MOST_WAITING = 100_000  # records that wait for a disk that takes none; what comes then is dropped


class EventLog:
    """Safe to use from several threads; open it anew after a fork.

    `traffic` counts what this process is told and what the files held when it began; what other processes add
    meanwhile is not in it. It is saved now and then and with `close`, so that a start reads little: see
    `counted`. `dropped` are records that the disk did not take in time: `traffic` has them, the next
    start has not.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folder where it is missing, and count what its files hold; raises `OSError`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.traffic, self._places, self._unsaved = count_folder(folder)
        self.dropped = 0
        self._folder = folder
        self._process = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"  # numbers of processes come again
        self._path, self._end = folder, 0
        self._failing, self._saves = False, True
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="event-log", daemon=True)
        self._thread.start()

    def add(self, record: Record) -> bool:
        """Count a record and have it written; False for an action that refers to nothing that is known."""
        line = to_line(record)
        with self._lock:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.append(line)
            else:
                self.dropped += 1
                self._saves = False  # from here on more is counted than is written
            return self.traffic.count(record)  # under the lock: what is saved is what was written

    def close(self) -> None:
        """Return when everything is on the disk."""
        self._closing.set()
        self._thread.join()
        self._write(closing=True)

    def _write_on(self) -> None:
        while not self._closing.wait(EVERY):
            self._write()

    def _write(self, closing: bool = False) -> None:
        """Write what waits, and save what was counted when it is time to."""
        with self._lock:
            lines, self._waiting = self._waiting, []
            unsaved = self._unsaved + len(lines)
            due = self._saves and unsaved >= (1 if closing else SAVED_EVERY)
            counted = self.traffic.saved() if due else None
        try:
            if lines:
                self._append(b"".join(lines))
            self._failing, self._unsaved = False, unsaved
        except OSError as error:
            if not self._failing:
                log.error("%s: events cannot be written: %s; they wait in memory", self._folder, error)
            self._failing = True
            with self._lock:
                self._waiting = lines + self._waiting
            return
        if counted is not None:
            save_counted(self._folder, self._places, counted)
            self._unsaved = 0

    def _append(self, content: bytes) -> None:
        path = self._folder / f"{datetime.now(UTC).date().isoformat()}-{self._process}.jsonl"
        if path != self._path:
            self._path, self._end = path, 0
        with path.open("ab") as file:
            if file.tell() > self._end:  # half of what could not be written before
                file.truncate(self._end)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            self._end = self._places[path.name] = file.tell()
