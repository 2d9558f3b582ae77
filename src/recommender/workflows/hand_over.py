"""What one step leaves for the next: on a shared disk nothing moves, on a cluster it goes by the storage.

In the storage: `inputs/<digest>/` are the user's own files, `prepared/<data set>/<key>/` the prepared data,
`runs/<run>/` what a run has made so far, `models/<name>/<version>/` the published versions.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recommender.checksums import sha256_of
from recommender.config import Settings, check
from recommender.versions import Version, publish
from recommender.whole_files import write_whole
from recommender.workflows.storage import Storage, files_in
from recommender.workflows.validation import INPUTS, own_files

PREPARED, RUNS, MODELS = "prepared", "runs", "models"


def storage_of(settings: Settings) -> Storage | None:
    """Where the steps of a workflow meet; None where they share a disk."""
    workflow = settings.workflow
    if workflow.target == "local" or workflow.storage is None:
        return None
    return Storage(workflow.storage, workflow.storage_endpoint)


def send_inputs(settings: Settings) -> Settings:
    """Put the files that settings name into the storage; the settings by which a step finds them again."""
    storage = storage_of(settings)
    if storage is None:
        return settings
    tree = settings.model_dump(mode="json")
    for key, path in own_files(settings).items():
        if not path.exists():  # named as in the storage: sent by an earlier run
            continue
        files = files_in(path)
        whole = json.dumps({name: sha256_of(file) for name, file in files.items()})
        folder = f"{INPUTS}/{hashlib.sha256(whole.encode()).hexdigest()[:16]}"
        if storage.newest(folder) is None:
            storage.put(files, folder)
        _set(tree, key, str(settings.data.home / folder / (path.name if path.is_file() else "")))
    return check(tree)


def fetch_inputs(settings: Settings) -> None:
    """Bring those files to this machine."""
    storage = storage_of(settings)
    inputs = settings.data.home / INPUTS
    for path in own_files(settings).values():
        if storage is not None and path.is_relative_to(inputs):
            folder = inputs / path.relative_to(inputs).parts[0]
            storage.fetch(f"{INPUTS}/{folder.name}", folder)


def send_prepared(settings: Settings, folder: Path) -> None:
    """Keep a folder of prepared data, unless the storage has it: its name stands for its content."""
    storage = storage_of(settings)
    if storage is not None and storage.newest(_prepared_name(folder)) is None:
        storage.put(files_in(folder), _prepared_name(folder))


def fetch_prepared(settings: Settings, folder: Path) -> Path:
    """Prepared data on this machine."""
    storage = storage_of(settings)
    if storage is None:
        return folder
    name = _prepared_name(folder)
    here = settings.data.home.absolute() / name
    if not here.exists():
        storage.fetch(name, here)
    return here


def send_run(settings: Settings, folder: Path) -> None:
    """Keep a run's folder as it is now."""
    storage = storage_of(settings)
    if storage is not None:
        storage.put(files_in(folder), f"{RUNS}/{folder.name}")


@contextmanager
def run_folder(settings: Settings, folder: Path, keep: bool = True) -> Iterator[Path]:
    """A run's folder as earlier steps have left it; what is added is kept, also of a failure.

    Of tasks that work together only one may `keep`, as the others' copies lack what it has added.
    """
    storage = storage_of(settings)
    if storage is None:
        yield folder
        return
    here = settings.workflow.runs.absolute() / folder.name
    storage.fetch(f"{RUNS}/{folder.name}", here)
    try:
        yield here
    finally:
        if keep:
            send_run(settings, here)


def send_version(settings: Settings, version: Version, run: Path) -> tuple[int, str]:
    """Publish an exported version, once for each run; its number and where it is."""
    storage = storage_of(settings)
    if storage is None:
        return version.number, str(version.folder)
    name = f"{MODELS}/{settings.workflow.name}"
    published = run / "published-version"
    if not published.exists():
        write_whole(published, str(storage.put(files_in(version.folder), name)))
    number = int(published.read_text(encoding="utf-8"))
    return number, f"{storage.url}/{name}/{number}"


def bring_version(settings: Settings, version: Version) -> Version:
    """A version that was published in the storage, as the next one of this machine too."""
    storage = storage_of(settings)
    if storage is None:
        return version
    base = settings.export.models.absolute() / settings.workflow.name
    incoming = base / f".incoming-{version.number}-{os.getpid()}"  # not an integer: no version yet
    storage.fetch(f"{MODELS}/{settings.workflow.name}", incoming, version.number)
    number = publish(incoming, base)
    return Version(number, base / str(number))


def _prepared_name(folder: Path) -> str:
    return "/".join((PREPARED, *folder.parts[-2:]))


def _set(tree: dict[str, Any], key: str, value: str) -> None:
    *sections, last = key.split(".")
    for section in sections:
        tree = tree[section]
    tree[last] = value
