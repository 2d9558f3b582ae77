"""Telling version folders that can be loaded from those that are still being copied."""

from __future__ import annotations

import enum
import logging
import time
from dataclasses import dataclass
from pathlib import Path

from recommender.serving.servables.version_folders import Fingerprint, fingerprint, missing_part

log = logging.getLogger(__name__)

PATIENCE = 5.0  # seconds after which a folder that lacks something is loaded all the same, to report why


class Verdict(enum.Enum):
    """What is to be done with a version folder."""

    LOAD = enum.auto()  # all is there and stands still
    SETTLING = enum.auto()  # it has changed just now
    INCOMPLETE = enum.auto()  # something is missing
    FAILED = enum.auto()  # it did not load, and has not changed since


@dataclass(slots=True)
class _Sighting:
    state: Fingerprint
    since: float  # when this state began, on the monotonic clock
    missing: str | None = None
    checked: bool = False


class FolderWatch:
    """Remembers how version folders looked, for one thread.

    A folder is loaded when nothing in it has changed for `settle` seconds and nothing is missing that its
    files speak of. What still lacks something after `patience` seconds without a change is not being copied:
    it is loaded too, so that the failure is seen. While `hurried`, nothing that is missing is waited for.
    """

    def __init__(self, settle: float, patience: float | None = None) -> None:
        self.settle = settle
        self.hurried = False
        self._patience = PATIENCE if patience is None else patience
        self._sightings: dict[Path, _Sighting] = {}
        self._failed: dict[Path, Fingerprint] = {}

    def look(self, folder: Path) -> Verdict:
        """Judge a folder by what it holds now."""
        try:
            state = fingerprint(folder)
        except OSError:  # files come or go
            self._sightings.pop(folder, None)
            return Verdict.SETTLING
        if self._failed.get(folder) == state:
            return Verdict.FAILED
        sighting = self._sightings.get(folder)
        if sighting is None or sighting.state != state:
            already = max(time.time() - state.last_change, 0.0)
            sighting = self._sightings[folder] = _Sighting(state, time.monotonic() - already)
        still_for = time.monotonic() - sighting.since
        if still_for < self.settle:
            return Verdict.SETTLING
        return self._judge_contents(folder, sighting, still_for)

    def remember_failure(self, folder: Path) -> None:
        """The folder, as it was last looked at, does not load; it is tried again when it has changed."""
        self._failed[folder] = self._sightings[folder].state

    def forget(self, folder: Path) -> None:
        """The folder was loaded, or has gone."""
        self._sightings.pop(folder, None)
        self._failed.pop(folder, None)

    def _judge_contents(self, folder: Path, sighting: _Sighting, still_for: float) -> Verdict:
        waits = not self.hurried and still_for < self._patience
        if not sighting.checked:
            sighting.missing = missing_part(folder)
            sighting.checked = True
            if sighting.missing and waits:
                log.info("%s: not complete yet: %s", folder, sighting.missing)
        return Verdict.INCOMPLETE if sighting.missing and waits else Verdict.LOAD
