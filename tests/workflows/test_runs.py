import os
from pathlib import Path

import pytest

from recommender.config import Settings, load_settings
from recommender.errors import RecommenderError
from recommender.workflows import runs


def settings(folder: Path, *overrides: str) -> Settings:
    return load_settings(None, [f"workflow.runs={folder / 'runs'}", *overrides], {})


def test_a_run_keeps_the_settings_that_it_goes_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = settings(tmp_path, "seed=7", "training.epochs=3")
    folder = runs.open_run(chosen, "first")
    monkeypatch.setenv("HP_FINAL_EPOCHS", "99")
    assert folder == tmp_path / "runs" / "first"
    assert runs.read_settings(folder) == chosen
    better = settings(tmp_path, "seed=8")
    runs.write_settings(better, folder)
    assert runs.read_settings(folder) == better
    assert [path.name for path in folder.iterdir()] == ["config.yaml"]


def test_runs_without_a_name_get_different_folders(tmp_path: Path) -> None:
    assert len({runs.open_run(settings(tmp_path)) for _ in range(20)}) == 20


def test_the_run_begun_last_is_found_without_its_name(tmp_path: Path) -> None:
    with pytest.raises(RecommenderError, match="no run there yet"):
        runs.find_run(settings(tmp_path))
    for age, name in ((10, "b"), (20, "a"), (30, "c")):
        folder = runs.open_run(settings(tmp_path), name)
        os.utime(folder / "config.yaml", (1_000_000 - age, 1_000_000 - age))
    assert runs.find_run(settings(tmp_path)).name == "b"
    assert runs.find_run(settings(tmp_path), "c").name == "c"
    with pytest.raises(RecommenderError, match="d: no such run"):
        runs.find_run(settings(tmp_path), "d")
