"""Version folders under a model's base path: which there are, and whether all of one is there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from recommender.serving.servables.checkpoint_index import shard_sizes
from recommender.serving.servables.saved_model_file import VARIABLES, read_meta_graph
from recommender.serving.status import Code, ServingError

LARGEST = 2**63 - 1  # versions are int64


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a folder holds: path, size and times of all within, and when the last of it changed (seconds)."""

    entries: frozenset[tuple[str, int, int, int]]
    last_change: float


def find_version_folders(base: Path) -> dict[int, Path]:
    """Folders with an integer name by version; `00000123` is 123. Raises `OSError` where `base` is not there.

    Where two names are the same number, the last in the order of names counts, as in IndexChildrenByVersion
    of sources/storage_path/file_system_storage_path_source.cc.
    """
    names = sorted(entry.name for entry in os.scandir(base) if _is_version(entry.name) and entry.is_dir())
    return {int(name): base / name for name in names}


def fingerprint(folder: Path) -> Fingerprint:
    """The state of a folder and all within; raises `OSError` where it vanishes under the eyes."""
    root = folder.stat()
    entries = {("", 0, root.st_mtime_ns, root.st_ctime_ns)}
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            there = Path(path, name)
            state = there.stat() if there.exists() else there.lstat()  # a link may lead nowhere
            entries.add((str(there), state.st_size, state.st_mtime_ns, state.st_ctime_ns))
    # The inode's time of change cannot be set, so that files copied with their old dates count as new.
    return Fingerprint(frozenset(entries), max(entry[3] for entry in entries) / 1e9)


def missing_part(folder: Path) -> str | None:
    """What a SavedModel still lacks in words, None where all that it names is there and long enough.

    None too for a graph that cannot be parsed: what it needs is unknown, and loading it says what is wrong.
    """
    try:
        meta_graph = read_meta_graph(folder)
    except ServingError as error:
        return None if error.code is Code.DATA_LOSS else error.message
    for asset in meta_graph.asset_file_def:
        if not (folder / "assets" / asset.filename).is_file():
            return f"assets/{asset.filename} is not there"
    if not meta_graph.saver_def.restore_op_name:
        return None  # a graph without variables
    try:
        return _missing_variables(folder / VARIABLES)
    except FileNotFoundError as error:
        return f"{error.filename} is not there"
    except (OSError, ValueError) as error:
        return f"{VARIABLES}.index: {error}"


def _missing_variables(prefix: Path) -> str | None:
    sizes = shard_sizes(prefix.with_name(f"{prefix.name}.index"))
    for shard, size in enumerate(sizes):
        data = prefix.with_name(f"{prefix.name}.data-{shard:05}-of-{len(sizes):05}")
        there = data.stat().st_size
        if there < size:
            return f"{data.name} has {there} bytes, expected {size}"
    return None


def _is_version(name: str) -> bool:
    return name.isascii() and name.isdigit() and int(name) <= LARGEST
