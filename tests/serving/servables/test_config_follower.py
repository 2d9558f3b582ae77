"""The list of models follows its file, and survives a file that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from waiting import eventually

from recommender.serving.servables.config_file import read_model_config_file
from recommender.serving.servables.config_follower import ConfigFollower
from recommender.serving.status import ServingError


def config(*models: tuple[str, Path]) -> str:
    listed = [
        f'config {{ name: "{name}" base_path: "{base}" model_platform: "tensorflow" }}'
        for name, base in models
    ]
    return "model_config_list { " + " ".join(listed) + " }"


@pytest.fixture
def path(tmp_path: Path, saved_models: Any) -> Path:
    saved_models.place("half_plus_two", tmp_path / "a" / "1")
    saved_models.place("half_plus_three", tmp_path / "b" / "1")
    path = tmp_path / "models.config"
    path.write_text(config(("a", tmp_path / "a")))
    return path


@pytest.fixture
def manager(path: Path, manage: Any) -> Iterator[Any]:
    manager = manage(read_model_config_file(path))
    follower = ConfigFollower(path, manager, 0.02)
    follower.start()
    yield manager
    follower.stop()


def names(manager: Any) -> list[str]:
    return [model.name for model in manager.models]


def available(manager: Any, name: str) -> bool:
    try:
        return manager.statuses(name)[0].state == "AVAILABLE"
    except ServingError:
        return False


def test_models_come_and_go_with_the_file(path: Path, manager: Any, half: Any, states: Any) -> None:
    a, b = ("a", path.parent / "a"), ("b", path.parent / "b")
    path.write_text(config(a, b))
    assert eventually(lambda: available(manager, "b"))
    assert half.plus(manager, "b") == 3.0
    path.write_text(config(b))
    assert eventually(lambda: states(manager, "a") == {1: "END"})


def test_a_file_that_cannot_be_used_changes_nothing_and_is_said_once(
    path: Path, manager: Any, half: Any, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text("model_config_list { config { nam: 'a' } }")
    assert eventually(lambda: "has no field named" in caplog.text)
    path.unlink()
    assert eventually(lambda: "cannot be read" in caplog.text)
    assert half.plus(manager, "a") == 2.0
    path.write_text(config(("b", path.parent / "b")))
    assert eventually(lambda: names(manager) == ["b"])
    assert caplog.text.count("cannot be read") == 1
