from __future__ import annotations

import hashlib
import json
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
import tensorflow as tf

from recommender.export.provenance import git_state, sha256


def git(folder: Path, *command: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
    answer = subprocess.run(
        ["git", "-C", str(folder), *identity, *command], check=True, capture_output=True, text=True
    )
    return answer.stdout.strip()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package in a repository with one commit."""
    folder = tmp_path / "repository" / "src"
    folder.mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "__init__.py").write_text("")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_provenance_names_data_code_lock_versions_and_times(version: Path, prepared) -> None:
    record = json.loads((version / "provenance.json").read_text(encoding="utf-8"))
    lock = Path(__file__).parents[2] / "requirements.txt"
    assert record["dataset"] == "synthetic"
    assert record["data_fingerprint"] == prepared.schema.fingerprint
    assert record["seed"] == 42
    assert record["lock_sha256"] == hashlib.sha256(lock.read_bytes()).hexdigest()
    assert record["versions"]["tensorflow"] == tf.__version__
    assert {"python", "tf-keras", "tensorflow-recommenders", "numpy", "duckdb"} <= record["versions"].keys()
    started, ended = (datetime.fromisoformat(record[f"export_{name}"]) for name in ("started", "ended"))
    assert started <= ended
    assert started.utcoffset() is not None
    assert "git" in record


def test_a_clean_checkout_is_its_commit(package: Path) -> None:
    assert git_state(package) == {"commit": git(package, "rev-parse", "HEAD"), "dirty": False}


@pytest.mark.parametrize("name", ["__init__.py", "new.py"])
def test_a_checkout_with_changes_is_dirty(package: Path, name: str) -> None:
    (package / name).write_text("changed = True\n")
    state = git_state(package)
    assert state is not None
    assert state["dirty"] is True


def test_outside_of_git_there_is_no_commit(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("")
    assert git_state(tmp_path) is None


def test_a_package_installed_within_another_repository_does_not_take_its_commit(package: Path) -> None:
    installed = package / ".venv" / "recommender"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("")
    assert git_state(installed) is None


def test_without_git_there_is_no_commit(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert git_state(package) is None


def test_a_file_that_is_not_there_has_no_checksum(tmp_path: Path) -> None:
    assert sha256(tmp_path / "requirements.txt") is None
