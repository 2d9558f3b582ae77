"""Run folders `<runs>/<name>/`: what one run has made so far, so that it can be resumed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from recommender.config import Settings, read_yaml, resolve
from recommender.errors import RecommenderError

SETTINGS_FILE = "config.yaml"


def open_run(settings: Settings, name: str | None = None) -> Path:
    """The folder of a run, made if need be, with the settings in it; the default name is the present time."""
    folder = settings.workflow.runs / (name or f"{datetime.now():%Y%m%d-%H%M%S-%f}")
    folder.mkdir(parents=True, exist_ok=True)
    write_settings(settings, folder)
    return folder.absolute()


def write_settings(settings: Settings, folder: Path) -> None:
    """Save the settings that a run goes by."""
    building = folder / f".{SETTINGS_FILE}.{os.getpid()}"
    building.write_text(settings.to_yaml(), encoding="utf-8")
    building.replace(folder / SETTINGS_FILE)


def read_settings(folder: Path) -> Settings:
    """The settings that a run goes by; environment and presets no longer count."""
    return resolve(read_yaml(folder / SETTINGS_FILE), environ={})


def find_run(settings: Settings, name: str | None = None) -> Path:
    """The run with this name, or the one begun last; raises `RecommenderError` where there is none."""
    runs = settings.workflow.runs
    if name is not None and not (runs / name / SETTINGS_FILE).is_file():
        raise RecommenderError(f"{runs / name}: no such run")
    begun = list(runs.glob(f"{name or '*'}/{SETTINGS_FILE}"))
    if not begun:
        raise RecommenderError(f"{runs}: no run there yet; make one with `recommender train`")
    return max(begun, key=lambda path: path.stat().st_mtime_ns).parent.absolute()


@contextmanager
def alone(folder: Path, work: str) -> Iterator[None]:
    """Hold a run's lock for one kind of work, such as `train`; wait while another process holds it.

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
