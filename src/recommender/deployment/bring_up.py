"""Making a version the one that answers: write its files, apply them, wait, ask what was asked at export."""

from __future__ import annotations

import time

from recommender.client import NotFound, VersionStatus
from recommender.deployment.record import write_text
from recommender.deployment.targets.target import Target
from recommender.errors import RecommenderError
from recommender.smoke import Smoke
from recommender.versions import Version

PAUSE = 0.1  # seconds between two looks at the state
# Seconds for which a version may be reported as failed: until the server has seen that it is wanted again.
GRACE = 5.0
# A version that is still being loaded answers when that is done, also where it is no longer wanted.
COMING_OR_THERE = {"START", "LOADING", "AVAILABLE"}


def bring_up(target: Target, version: Version) -> None:
    """Write the files that make this version serve and start, or change, what runs; does not wait."""
    files = target.files(version)
    target.validate(files)
    for name, text in files.items():
        write_text(target.folder / name, text)
    target.apply(version)


def wait_until_available(target: Target, version: Version, seconds: float) -> None:
    """Return once this version is AVAILABLE and no other is or becomes so; raises `RecommenderError`."""
    started = time.monotonic()
    failed_since = None
    while True:
        statuses = {status.version: status for status in target.statuses()}
        mine = statuses.get(version.number)
        others = [status for status in statuses.values() if status is not mine]
        is_there = mine is not None and mine.state == "AVAILABLE"
        if is_there and not any(status.state in COMING_OR_THERE for status in others):
            return
        now = time.monotonic()
        failed_since = (failed_since or now) if mine is not None and mine.failed else None
        if mine is not None and failed_since is not None and now - failed_since > GRACE:
            raise RecommenderError(f"version {version.number} cannot be loaded: {mine.error_message}")
        if now - started > seconds:
            raise RecommenderError(
                f"version {version.number} is not AVAILABLE after {seconds:g} seconds: {_shown(statuses)}"
            )
        time.sleep(PAUSE)


def check_answer(target: Target, version: Version, smoke: Smoke, seconds: float) -> float:
    """Send the smoke request to where the version runs; returns the largest difference from export.

    Of several workers or replicas, the one that gets the request may have the version a little later than the
    one that was asked for its state.
    """
    started = time.monotonic()
    while True:
        try:
            predictions = target.predict(version, smoke.request)
        except NotFound:
            if time.monotonic() - started > seconds:
                raise
            time.sleep(PAUSE)
        else:
            return smoke.check(predictions, target.settings.deployment.tolerance)


def _shown(statuses: dict[int, VersionStatus]) -> str:
    states = [f"version {status.version} is {status.state}" for status in statuses.values()]
    return ", ".join(states) or "nobody answers"
