"""`recommender app` as people run it: from an empty store to lists, through kill -9 and Ctrl-C."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from app_process import AppProcess

from recommender.cli import main
from recommender.data.prepared import Prepared


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """`run("port=80")`: exit status and what `recommender app port=80` wrote to standard error."""
    monkeypatch.chdir(tmp_path)
    for name in ("REDIS_URL", "TF_SERVING_URL"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["recommender", "app", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().err

    with patch.dict(os.environ):  # the command says how many threads TensorFlow has
        yield run


def make_version(folder: Path, provenance: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    (folder / "provenance.json").write_text(json.dumps(provenance))


def test_without_a_model_it_says_how_to_make_one(run) -> None:
    assert run() == (
        1,
        "error: data/models/recommender: no exported version there; "
        "make one with `recommender run workflow-train-model.yaml`\n",
    )


def test_a_port_that_is_taken_is_one_line(run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, said = run(f"port={port}")
    assert status == 1
    assert said.startswith(f"error: port {port} of 127.0.0.1 is taken by process ")
    assert said.endswith("or choose another with port=PORT\n")


@pytest.mark.parametrize(
    ("word", "rule"),
    [
        ("prot=6010", "prot: unknown key, received 6010"),
        ("port=65536", "port: input should be less than or equal to 65535, received 65536"),
        ("default_variant=magic", "default_variant must be among two_stage, rating, retrieval, popular"),
        ("store=mysql:x", "store: must be sqlite:FILE or redis://HOST:PORT/DATABASE, received 'mysql:x'"),
    ],
)
def test_a_setting_that_cannot_be_is_one_line(run, tmp_path: Path, word: str, rule: str) -> None:
    make_version(tmp_path / "data/models/recommender/1", {})
    status, said = run(word)
    assert status == 2
    assert rule in said
    assert said.count("\n") == 1


def test_a_store_of_other_data_than_the_models_is_refused(run, pushed: Path, tmp_path: Path) -> None:
    shutil.copy(pushed, tmp_path / "features.sqlite")
    folder = tmp_path / "data/models/recommender/3"
    make_version(folder, {"dataset": "ml-1m", "data_fingerprint": "0123456789abcdef"})
    status, said = run("store=sqlite:features.sqlite")
    assert status == 1
    assert said.startswith("error: the store holds synthetic (")
    assert "version 3 of the model was trained on ml-1m (01234567)" in said
    assert "--push" in said
    assert said.count("\n") == 1


def test_a_store_that_is_down_is_not_taken_for_an_empty_one(run, tmp_path: Path) -> None:
    make_version(tmp_path / "data/models/recommender/1", {})
    status, said = run("store=redis://127.0.0.1:1/0")
    assert status == 1
    assert "redis at 127.0.0.1: the feature store cannot be used" in said


def test_an_empty_store_beside_a_model_server_says_how_to_fill_it(run) -> None:
    status, said = run("model.url=http://127.0.0.1:1", "store=sqlite:empty.sqlite")
    assert status == 1
    assert "run recommender features push" in said


def test_help_imports_neither_a_web_framework_nor_tensorflow() -> None:
    script = """
import sys
from recommender.cli import main
sys.argv = ["recommender", "app", "--help"]
try:
    main()
except SystemExit:
    pass
heavy = {"fastapi", "starlette", "uvicorn", "tensorflow", "pandas", "duckdb", "rapidfuzz"} & set(sys.modules)
assert not heavy, heavy
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "store=sqlite:data/features.sqlite" in ended.stdout


@pytest.fixture
def workplace(published: Path, tmp_path: Path) -> Path:
    """A folder with one published version and nothing else, as after a first training."""
    shutil.copytree(published, tmp_path / "data/models")
    return tmp_path


@pytest.fixture
def start(workplace: Path) -> Iterator[Callable[[], AppProcess]]:
    started: list[AppProcess] = []

    def start() -> AppProcess:
        started.append(AppProcess(workplace))
        return started[-1]

    yield start
    for app in started:
        app.process.kill()
        app.wait()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_app_from_an_empty_store_through_kill_and_ctrl_c(
    start, workplace: Path, prepared: Prepared
) -> None:
    user_id = prepared.users["user_id"][0]

    first = start()
    assert first.said[0].startswith("version 1 of the features: 120 users and 80 movies")
    assert "model data/models/recommender version 1" in first.said[-1]
    assert "synthetic with 120 users and 80 movies" in first.said[-1]
    before = first.listed(user_id)
    first.rate(user_id, before[0])
    after = first.listed(user_id)
    assert before[0] not in after
    first.rate(user_id, after[0])
    first.process.kill()
    first.wait()

    second = start()
    assert len(second.said) == 1  # nothing to fill
    history = [line["movie_id"] for line in second.client.get(f"/users/{user_id}").json()["history"]]
    assert {before[0], after[0]} <= set(history)
    assert not {before[0], after[0]} & set(second.listed(user_id))
    assert second.client.get(second.url).status_code == 200  # the pages are there, too
    assert second.end(signal.SIGINT) == 0
    files = (workplace / "data/events").glob(f"*-{second.process.pid}-*.jsonl")
    logged = [json.loads(line) for path in files for line in path.open()]
    assert [len(line["items"]) for line in logged if line["kind"] == "list"] == [5]
    assert "Traceback" not in second.log.read_text()
