"""The record of a deployment, `deployment.json` in its folder: what runs and how it got there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, Field, ValidationError

from recommender.config import Section
from recommender.deployment.settings import DeploySettings
from recommender.errors import RecommenderError
from recommender.whole_files import write_whole

RECORD_FILE = "deployment.json"

Event = Literal["deployed", "rolled back", "refused", "stopped"]
# starting: from the beginning of a command to its end; the others are how the last command left it.
State = Literal["starting", "serving", "stopped", "failed"]


class Change(Section):
    """One thing that happened: which version, when and why."""

    event: Event
    version: int
    at: AwareDatetime
    why: str


class Record(Section):
    """All that later commands need to know; `details` are the target's own."""

    settings: DeploySettings
    state: State
    version: int | None
    url: str
    logs: str
    details: dict[str, Any] = Field(default={})
    history: list[Change] = Field(default=[])

    @property
    def name(self) -> str:
        """What the commands call the deployment."""
        return self.settings.deployment.name

    @property
    def is_meant_to_run(self) -> bool:
        """Whether something was started and not stopped since; it may have ended all the same."""
        return self.state in ("starting", "serving")

    @property
    def since(self) -> datetime | None:
        """When the version that is served came."""
        changes = [change for change in self.history if change.event in ("deployed", "rolled back")]
        return changes[-1].at if changes else None

    def after(self, event: Event, number: int, why: str = "", **changes: Any) -> Record:
        """The record, with these changes, after something happened now to a version."""
        change = Change(event=event, version=number, at=datetime.now(UTC), why=why)
        return self.model_copy(update={"history": [*self.history, change], **changes})

    def way_back(self) -> list[int]:
        """The versions that `rollback` walks back through, the present one last.

        A deployed version comes on top. Rolling back takes away what is above the version it leads to, so
        that doing it twice leads two versions back; to a version that is not below, it comes on top.
        """
        way: list[int] = []
        for change in self.history:
            if change.event == "rolled back" and change.version in way:
                way = way[: _last(way, change.version) + 1]
            elif change.event in ("deployed", "rolled back") and way[-1:] != [change.version]:
                way.append(change.version)
        return way


def _last(way: list[int], version: int) -> int:
    return max(place for place, number in enumerate(way) if number == version)


def read_record(folder: Path) -> Record | None:
    """The record of the deployment in `folder`, None where there is none yet."""
    path = folder / RECORD_FILE
    try:
        return Record.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecommenderError(f"{path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise not_a_record(folder, error) from None


def not_a_record(folder: Path, error: ValidationError) -> RecommenderError:
    """What to say of a `deployment.json` that somebody has damaged."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    reason = f"{where}: {first['msg']}" if where else first["msg"]
    return RecommenderError(f"{folder / RECORD_FILE}: not the record of a deployment: {reason}")


def write_record(record: Record, folder: Path) -> None:
    """Write the record, which appears whole or not at all."""
    write_text(folder / RECORD_FILE, record.model_dump_json(indent=1))


def write_text(path: Path, text: str) -> None:
    """Write a file of the deployment, whole or not at all; raises `RecommenderError`."""
    make_folder(path.parent)
    try:
        write_whole(path, text)
    except OSError as error:
        raise RecommenderError(f"{path}: cannot be written: {error.strerror}") from None


def make_folder(folder: Path) -> None:
    """Make a folder and those that it lies in, unless they are there; raises `RecommenderError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecommenderError(f"{folder}: this folder cannot be made: {error.strerror}") from None


def deployment_names(home: Path) -> list[str]:
    """The deployments under `home`, also those whose record cannot be read."""
    return sorted(path.parent.name for path in home.glob(f"*/{RECORD_FILE}"))


def find_record(home: Path, name: str | None = None) -> Record:
    """The record of this deployment, or of the only one; raises `RecommenderError` saying which there are."""
    names = deployment_names(home)
    there = ", ".join(names) or "none"
    if name is None:
        if not names:
            raise RecommenderError(
                f"{home}: no deployment there; make one with `recommender run workflow-deploy-model.yaml`"
            )
        if len(names) > 1:
            raise RecommenderError(f"{home}: several deployments, name one: {there}")
        (name,) = names
    record = read_record(home / name) if name in names else None
    if record is None:
        raise RecommenderError(f"{home}: no deployment {name!r}; there are: {there}")
    if record.name != name:  # such as a copy that somebody keeps
        raise RecommenderError(f"{home / name / RECORD_FILE}: the record of {record.name!r}, not of {name!r}")
    return record
