"""What the manager tells of its work, for metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recommender.serving.servables.version_status import VersionStatus
from recommender.serving.status import Code


@dataclass(frozen=True, slots=True)
class StateChanged:
    """A version of a model has a new state."""

    model: str
    status: VersionStatus


@dataclass(frozen=True, slots=True)
class LoadAttempted:
    """A version was loaded, or was not: `code` says how it went.

    `load_seconds` is the time for graph and variables; `warm_up_seconds` that of the warm-up requests, None
    where there are none or it did not come to them.
    """

    model: str
    version: int
    folder: Path
    code: Code
    load_seconds: float
    warm_up_seconds: float | None


Event = StateChanged | LoadAttempted
OnEvent = Callable[[Event], None]
