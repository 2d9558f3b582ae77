"""What is done to a deployment later: list, roll back, stop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from recommender.deployment.change import LOCK, Say, change
from recommender.deployment.record import Record, deployment_names, find_record, write_record
from recommender.deployment.targets import make_target
from recommender.deployment.targets.target import Target
from recommender.errors import RecommenderError
from recommender.folder_lock import alone
from recommender.smoke import read_smoke
from recommender.versions import resolve


@dataclass(frozen=True)
class Overview:
    """One deployment as it is now; `state` is ended where it should be serving and does not run.

    `error` says why the state is unknown.
    """

    name: str
    target: str
    version: int | None
    state: str
    url: str
    since: datetime | None
    pid: int | None
    logs: str
    error: str = ""


def overview(home: Path) -> list[Overview]:
    """All deployments under `home`, by name."""
    return [_overview(home, name) for name in deployment_names(home)]


def rollback(home: Path, name: str | None = None, to: int | None = None, say: Say = print) -> Record:
    """Make a deployment serve the version that it served before, or version `to`; returns its record.

    Each further time it goes one version further back. After a command that was killed on its way to another
    version, it is the one from before that command. Raises `RecommenderError` where there is none, where
    the deployment is stopped, and where the version does not answer; then what served goes on serving.
    """
    name = find_record(home, name).name
    with alone(home / name, LOCK):
        record = find_record(home, name)
        if not record.is_meant_to_run:
            raise RecommenderError(
                f"{name} is {record.state}; to start it, deploy a version: model.version=N"
            )
        target = _target(record, home)
        version = resolve(record.settings.versions, _earlier(record) if to is None else to)
        if record.state == "serving" and version.number == record.version and target.is_running():
            raise RecommenderError(f"{name} serves version {version.number} already, at {record.url}")
        target.check_engine()
        smoke = read_smoke(version.folder) if record.settings.deployment.smoke else None
        return change(target, record, version, smoke, "rolled back", say)


def stop(home: Path, name: str | None = None, say: Say = print) -> Record:
    """Stop a deployment; its record and its logs stay. Raises `RecommenderError` where it is stopped."""
    name = find_record(home, name).name
    with alone(home / name, LOCK):
        record = find_record(home, name)
        target = _target(record, home)
        running = target.is_running()
        if not running and not record.is_meant_to_run:
            raise RecommenderError(f"{name} is {record.state} already; logs: {record.logs}")
        ended = "" if running else f", {_what_ran(record)} had ended by itself"
        target.stop()
        version = record.version or 0
        record = record.after("stopped", version, state="stopped", details=target.details)
        write_record(record, target.folder)
    say(f"{name} is stopped{ended}; logs: {record.logs}")
    return record


def _overview(home: Path, name: str) -> Overview:
    try:
        record = find_record(home, name)
    except RecommenderError as failure:  # one that is damaged hides no other
        return Overview(name, "", None, "unknown", "", None, None, "", str(failure))
    state, error = str(record.state), ""
    try:
        if record.is_meant_to_run and not _target(record, home).is_running():
            state = "ended"
    except RecommenderError as failure:  # such as an engine that cannot be asked
        state, error = "unknown", str(failure)
    return Overview(
        name=record.name,
        target=record.settings.deployment.target,
        version=record.version,
        state=state,
        url=record.url,
        since=record.since,
        pid=record.details.get("pid") if state != "ended" else None,
        logs=record.logs,
        error=error,
    )


def _target(record: Record, home: Path) -> Target:
    return make_target(record.settings, (home / record.name).absolute(), record.details)


def _earlier(record: Record) -> int:
    way = record.way_back()
    if record.state == "starting" and record.version is not None:
        return record.version  # a command was killed on its way to another version
    if len(way) < 2:
        raise RecommenderError(f"{record.name}: no version was served before version {record.version}")
    return way[-2]


def _what_ran(record: Record) -> str:
    return f"process {record.details['pid']}" if "pid" in record.details else "what ran"
