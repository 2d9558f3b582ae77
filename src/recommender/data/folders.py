"""Folders that are either complete or not there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def complete_or_absent(final: Path) -> Iterator[Path]:
    """A new folder to write to, renamed to `final` at the end and removed where something is raised.

    Where another process makes the same folder at the same time, the first to end wins and the other's work
    is removed: what goes into it must follow from its name.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{final.name}-", dir=final.parent))
    try:
        folder = scratch / "folder"  # the outer one can be read by nobody else
        folder.mkdir()
        yield folder
        try:
            folder.rename(final)
        except OSError:
            if not final.is_dir():
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
