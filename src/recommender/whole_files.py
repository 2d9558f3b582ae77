"""Text files that a reader finds whole, as they were or as they are, and never half written."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a file under a temporary name beside its place and rename it; what fails leaves nothing behind.

    Raises `OSError`.
    """
    building = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        building.write_text(text, encoding="utf-8")
        building.replace(path)
    except OSError:
        building.unlink(missing_ok=True)
        raise
