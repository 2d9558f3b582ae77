"""Where a version comes from: data, code, lock, library versions, times."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import recommender
from recommender.checksums import sha256_of
from recommender.config import Settings
from recommender.data.schema import Schema

PACKAGES = ("tensorflow", "tf-keras", "tensorflow-recommenders", "numpy", "duckdb")
SOURCE = Path(recommender.__file__).parent


def provenance(settings: Settings, schema: Schema, started: datetime) -> dict[str, Any]:
    """What `provenance.json` says; `started` is when the export began, and it ends now.

    `git` and `lock_sha256` are None where the package does not run from a checkout.
    """
    return {
        "dataset": schema.dataset,
        "data_fingerprint": schema.fingerprint,
        "seed": settings.seed,
        "git": git_state(SOURCE),
        "lock_sha256": sha256(SOURCE.parents[1] / "requirements.txt"),
        "versions": {
            "python": platform.python_version(),
            "recommender": recommender.__version__,
            **{name: metadata.version(name) for name in PACKAGES},
        },
        "export_started": started.isoformat(timespec="seconds"),
        "export_ended": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def git_state(source: Path) -> dict[str, Any] | None:
    """The commit that `source` is checked out from and whether anything differs; None outside of git."""
    tracked = _git(source, "ls-files", "--error-unmatch", "__init__.py")
    if tracked is None:  # also where the package is installed within somebody else's repository
        return None
    return {"commit": _git(source, "rev-parse", "HEAD"), "dirty": bool(_git(source, "status", "--porcelain"))}


def sha256(path: Path) -> str | None:
    """The checksum of a file, None where there is none."""
    return sha256_of(path) if path.is_file() else None


def _git(folder: Path, *command: str) -> str | None:
    """What git answers, None where it fails or is not installed."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *command], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()
