"""One process at a time at one kind of work in one folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(folder: Path, work: str) -> Iterator[None]:
    """Hold a folder's lock for one kind of work, such as `train`; wait while another process holds it.

    When a workflow is killed, the task that it had started may live on. A resumed run must not write to the
    same files beside it. The lock ends with the process that holds it, however that ends.
    """
    with (folder / f".{work}.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read()  # empty for a moment, until the other process has written its number
            who = f"process {holder}" if holder else "another process"
            print(f"waiting for {who}, which is still at {work} in {folder}", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
