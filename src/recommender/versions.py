"""Exported versions in `<models>/<name>/<integer>/`: published by one rename, so never half-written."""

from __future__ import annotations

import errno
import json
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recommender.errors import RecommenderError


@dataclass(frozen=True, order=True)
class Version:
    """One published version: its number and the folder that holds it."""

    number: int
    folder: Path

    def metrics(self) -> dict[str, Any]:
        """What was measured before the version was published; raises `RecommenderError` where unreadable."""
        return self._read("metrics.json")

    def provenance(self) -> dict[str, Any]:
        """Where the version comes from: data fingerprint, commit, lock, versions, times."""
        return self._read("provenance.json")

    def _read(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise RecommenderError(f"{path}: cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise RecommenderError(f"{path}: not JSON: {error}") from None
        if not isinstance(content, dict):
            raise RecommenderError(f"{path}: expected a JSON object, found {type(content).__name__}")
        return content


def publish(folder: Path, base: Path) -> int:
    """Make a complete version folder visible under `base` as the next integer; returns that integer.

    The rename is the publication: a reader sees the whole version or none of it. Two processes that publish
    at once get two numbers. On another file system the folder is first copied beside its final place.
    Raises `RecommenderError` where `folder` is missing or empty.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        raise RecommenderError(f"{folder}: nothing to publish, expected a folder with a complete version")
    base.mkdir(parents=True, exist_ok=True)
    while True:
        number = max((int(entry.name) for entry in base.iterdir() if _is_number(entry.name)), default=0) + 1
        try:
            folder.rename(base / str(number))  # fails where somebody else has just taken the number
        except OSError as error:
            if error.errno == errno.EXDEV:
                folder = _copy_beside(folder, base)
            elif error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            return number


def list_versions(base: Path) -> list[Version]:
    """Versions under `base`, oldest first; anything that is not a folder with an integer name is ignored."""
    if not base.is_dir():
        return []
    folders = (entry for entry in base.iterdir() if _is_number(entry.name) and entry.is_dir())
    return sorted(Version(int(folder.name), folder) for folder in folders)


def resolve(base: Path, number: int | None = None) -> Version:
    """The version with this number, or the newest; raises `RecommenderError` saying which there are."""
    found = list_versions(base)
    if not found:
        raise RecommenderError(
            f"{base}: no exported version there; make one with `recommender run workflow-train-model.yaml`"
        )
    if number is None:
        return found[-1]
    for version in found:
        if version.number == number:
            return version
    there = ", ".join(str(version.number) for version in found)
    raise RecommenderError(f"{base}: no version {number}, there are {there}")


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and name == str(int(name))


def _copy_beside(folder: Path, base: Path) -> Path:
    copy = base / f".incoming-{uuid.uuid4().hex}"  # not an integer: no reader takes it for a version
    shutil.copytree(folder, copy)
    shutil.rmtree(folder)
    return copy
