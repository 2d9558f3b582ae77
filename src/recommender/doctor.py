"""What `recommender doctor` finds: versions, the machine, data, models, and how to mend what is missing."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import psutil
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from recommender.config import Settings
from recommender.data.download import HOME_VARIABLE, find
from recommender.data.movielens import CATALOGUE
from recommender.versions import list_versions

SUPPORTED_PYTHON = ((3, 11), (3, 14))  # from, below
SHOWN_PACKAGES = ("tensorflow", "tf-keras", "tensorflow-recommenders")
LOCK = Path("requirements.txt")
GIB = 2**30
MEMORY_NEEDED = 4 * GIB
DISK_NEEDED = 2 * GIB
INSTALL = f"{shlex.quote(sys.executable)} -m pip install --no-deps -r requirements.txt"


@dataclass(frozen=True)
class Finding:
    """One thing examined. `missing` is needed and not there, `warning` may hurt later."""

    subject: str
    state: Literal["ok", "warning", "missing"]
    text: str
    remedy: str | None = None


def examine(settings: Settings, lock: Path = LOCK) -> list[Finding]:
    """All findings, in the order in which they are shown; imports no TensorFlow."""
    return [
        _python(),
        *_packages(),
        *_locked(lock),
        *_machine(settings),
        *_data(settings),
        _versions(settings),
    ]


def _python() -> Finding:
    first, end = SUPPORTED_PYTHON
    text = f"{sys.version.split()[0]} at {sys.executable}"
    if first <= sys.version_info[:2] < end:
        return Finding("Python", "ok", text)
    needed = f"3.{first[1]} to 3.{end[1] - 1} needed"
    return Finding("Python", "missing", f"{text}, {needed}", "make demo PYTHON=python3.12")


def _packages() -> Iterator[Finding]:
    for name in SHOWN_PACKAGES:
        version = installed_version(name)
        if version:
            yield Finding(name, "ok", version)
        else:
            yield Finding(name, "missing", "not installed", INSTALL)


def _locked(lock: Path) -> Iterator[Finding]:
    if not lock.is_file():
        yield Finding(
            "lock", "warning", f"{lock} is not in the working directory, so versions are not compared"
        )
        return
    wrong = differences(lock)
    if wrong:
        yield Finding("lock", "missing", f"{lock} is not what is installed: {'; '.join(wrong)}", INSTALL)
    else:
        yield Finding("lock", "ok", f"everything is installed as in {lock}")


def differences(lock: Path) -> list[str]:
    """Where installed packages differ from a lock, as in `numpy 2.4.1, locked ==2.4.6`."""
    found = []
    for requirement in read_lock(lock):
        version = installed_version(requirement.name)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            found.append(f"{requirement.name} {version or 'not installed'}, locked {requirement.specifier}")
    return found


def read_lock(lock: Path) -> list[Requirement]:
    """The requirements of a lock whose markers hold on this machine."""
    lines = (line.split("#")[0].strip() for line in lock.read_text(encoding="utf-8").splitlines())
    requirements = [Requirement(line) for line in lines if line]
    return [each for each in requirements if each.marker is None or each.marker.evaluate()]


def installed_version(name: str) -> str | None:
    """Version of an installed package, None where it is not installed."""
    try:
        return metadata.version(canonicalize_name(name))
    except metadata.PackageNotFoundError:
        return None


def _machine(settings: Settings) -> Iterator[Finding]:
    yield Finding("processor", "ok", f"{os.cpu_count()} cores")
    memory = psutil.virtual_memory()
    text = f"{memory.available / GIB:.1f} GiB available of {memory.total / GIB:.1f}"
    if memory.available >= MEMORY_NEEDED:
        yield Finding("memory", "ok", text)
    else:
        remedy = "recommender run workflow-train-model.yaml data.dataset=synthetic (or close other programs)"
        yield Finding("memory", "warning", f"{text}, {MEMORY_NEEDED / GIB:.0f} needed for ml-100k", remedy)
    home = settings.data.home.absolute()
    folder = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    text = f"{free / GIB:.1f} GiB free at {folder}"
    if free >= DISK_NEEDED:
        yield Finding("disk", "ok", text)
    else:
        remedy = f"rm -r {shlex.quote(str(settings.workflow.runs))} (what earlier runs have left)"
        yield Finding("disk", "warning", f"{text}, {DISK_NEEDED / GIB:.0f} needed", remedy)


def _data(settings: Settings) -> Iterator[Finding]:
    home = os.environ.get(HOME_VARIABLE)
    if home and not Path(home).is_dir():
        text = f"names a folder that does not exist: {home}"
        yield Finding(HOME_VARIABLE, "warning", text, f"unset {HOME_VARIABLE}")
    elif home:
        yield Finding(HOME_VARIABLE, "ok", home)
    places = {name: find(name, settings.data.home) for name in CATALOGUE}
    for name, place in places.items():
        if place is not None:
            yield Finding(f"data {name}", "ok", str(place))
    wanted = settings.data.dataset
    if wanted in places and places[wanted] is None:
        yield Finding(f"data {wanted}", "missing", "not on this machine", f"recommender fetch {wanted}")


def _versions(settings: Settings) -> Finding:
    base = settings.export.models / settings.workflow.name
    found = list_versions(base)
    if found:
        return Finding("models", "ok", f"{len(found)} in {base}, the newest is version {found[-1].number}")
    return Finding("models", "warning", f"none in {base} yet", "recommender run workflow-train-model.yaml")
