import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recommender.config import Settings, load_settings
from recommender.errors import RecommenderError
from recommender.workflows import stages

METRICS = {"dataset": "stand-in"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(None, [f"export.models={tmp_path / 'models'}"], {})


@pytest.fixture
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that is trained and measured, and an export that writes the metrics it gets."""

    def build(settings: Any, prepared: Any, trained: Any, metrics: dict[str, Any], folder: Path) -> None:
        folder.mkdir()
        (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")

    monkeypatch.setitem(sys.modules, "recommender.export", SimpleNamespace(export=build))
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / stages.METRICS_FILE).write_text(json.dumps(METRICS), encoding="utf-8")
    return folder


def export(settings: Settings, run_folder: Path) -> Any:
    return stages.export(settings, None, None, run_folder)  # type: ignore[arg-type]


def test_a_run_is_published_once_however_often_it_is_exported(settings: Settings, run_folder: Path) -> None:
    first, second = export(settings, run_folder), export(settings, run_folder)
    assert first == second
    assert first.folder == settings.export.models / "recommender" / "1"
    assert first.metrics() == METRICS
    assert [path.name for path in first.folder.parent.iterdir()] == ["1"]


def test_a_version_that_was_deleted_is_published_anew(settings: Settings, run_folder: Path) -> None:
    shutil.rmtree(export(settings, run_folder).folder)
    again = export(settings, run_folder)
    assert again.metrics() == METRICS


def test_what_a_killed_export_has_left_is_not_published(settings: Settings, run_folder: Path) -> None:
    (run_folder / "version").mkdir()
    (run_folder / "version" / "half-written").touch()
    assert [path.name for path in export(settings, run_folder).folder.iterdir()] == ["metrics.json"]


def test_a_run_that_was_not_measured_is_not_published(settings: Settings, run_folder: Path) -> None:
    (run_folder / stages.METRICS_FILE).unlink()
    with pytest.raises(RecommenderError, match="not there; measure the run first: `recommender evaluate`"):
        export(settings, run_folder)
    assert not (settings.export.models / "recommender").exists()
