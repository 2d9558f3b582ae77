from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from recommender.cli.worker import worker
from recommender.config import load_settings
from recommender.errors import ConfigError, RecommenderError
from recommender.workflows import runs


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


def test_parameter_servers_with_one_thread_would_wait_for_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    addresses = {"chief": ["127.0.0.1:1"], "worker": ["127.0.0.1:2"], "ps": ["127.0.0.1:3"]}
    tree = {"cluster": addresses, "task": {"type": "ps", "index": 0}}
    environ = {"TF_CONFIG": json.dumps(tree), "TF_NUM_INTEROP_THREADS": "1"}
    averaging = ("training.averaging=0", "retrieval.training.averaging=0")
    others = ("ranking.head=mlp", "retrieval.history_encoder=[pooled]")
    error = run(environ, "distribution.strategy=parameter_server", *averaging, *others)
    assert isinstance(error, ConfigError)
    assert str(error) == "TF_NUM_INTEROP_THREADS: must be at least 2 with parameter servers, received 1"


def test_a_run_keeps_to_the_settings_that_it_was_begun_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    begun = load_settings(overrides=["distribution.strategy=multi_worker", "seed=1"], environ={})
    written = (runs.open_run(begun, "big") / runs.SETTINGS_FILE).read_text()
    tree = {"cluster": {"worker": ["127.0.0.1:1"]}, "task": {"type": "worker", "index": 0}}
    error = run({"TF_CONFIG": json.dumps(tree)}, "distribution.strategy=multi_worker", "seed=2")
    assert isinstance(error, ConfigError)
    assert str(error).endswith("big: was begun with other settings; take another --run")
    assert (begun.workflow.runs / "big" / runs.SETTINGS_FILE).read_text() == written


def test_a_port_in_use_is_told_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        addresses = [f"127.0.0.1:{port}", "127.0.0.1:1"]
        tree = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": 0}}
        given = ("distribution.strategy=multi_worker", "seed=1")
        for _ in range(2):  # the same command finds the run that it has begun
            error = run({"TF_CONFIG": json.dumps(tree)}, *given)
            assert isinstance(error, RecommenderError)
            assert str(error).endswith(f"port {port} is in use on this machine")
