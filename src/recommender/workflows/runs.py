"""Run folders `<runs>/<name>/`: what one run has made so far, so that it can be resumed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from recommender.config import Settings, read_yaml, resolve
from recommender.errors import RecommenderError
from recommender.whole_files import write_whole

SETTINGS_FILE = "config.yaml"


def open_run(settings: Settings, name: str | None = None) -> Path:
    """The folder of a run, made if need be, with the settings in it; the default name is the present time."""
    folder = settings.workflow.runs / (name or f"{datetime.now():%Y%m%d-%H%M%S-%f}")
    folder.mkdir(parents=True, exist_ok=True)
    write_settings(settings, folder)
    return folder.absolute()


def write_settings(settings: Settings, folder: Path) -> None:
    """Save the settings that a run goes by."""
    write_whole(folder / SETTINGS_FILE, settings.to_yaml())


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
