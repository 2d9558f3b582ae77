from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from recommender.cli.worker import worker
from recommender.errors import ConfigError


def run(environ: dict[str, str], *overrides: str) -> BaseException | None:
    return CliRunner().invoke(worker, ["--run", "big", *overrides], env=environ).exception


def test_a_place_in_a_cluster_comes_from_the_environment() -> None:
    error = run({"TF_CONFIG": ""}, "distribution.strategy=multi_worker")
    assert isinstance(error, ConfigError)
    assert "TF_CONFIG" in str(error)


def test_what_a_cluster_cannot_train_is_told_before_there_is_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tree = {"cluster": {"worker": ["127.0.0.1:1"]}, "task": {"type": "worker", "index": 0}}
    error = run({"TF_CONFIG": json.dumps(tree)}, "distribution.strategy=single")
    assert isinstance(error, ConfigError)
    assert str(error).startswith("distribution.strategy: ")
    assert not list(tmp_path.iterdir())
