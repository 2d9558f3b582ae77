"""When workers crash again and again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from recommender.errors import RecommenderError
from recommender.serving.http import supervisor, worker_process
from recommender.serving.http.options import ServeOptions


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Makes workers run the code in `WORKER`; the numbers of those that were started."""
    numbers: list[int] = []
    real = subprocess.Popen

    def start(arguments: list[str], **options: object) -> subprocess.Popen:
        numbers.append(len(numbers))
        return real([sys.executable, "-c", WORKER["code"], *arguments[3:]], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(worker_process.subprocess, "Popen", start)
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.001)
    return numbers


WORKER = {"code": ""}
TALK = "import json, os, socket, sys; channel = socket.socket(fileno=json.loads(sys.argv[1])['channel']); "


def options(tmp_path: Path) -> ServeOptions:
    return ServeOptions(rest_api_port=0, model_base_path=str(tmp_path), access_log="none")


@pytest.mark.parametrize(
    "talk", ["import os; ", TALK + "channel.sendall(b'{\"models\": {}}\\n'); "], ids=["loading", "answering"]
)
def test_workers_that_crash_at_once_again_and_again_are_given_up(
    started: list[int], tmp_path: Path, talk: str
) -> None:
    WORKER["code"] = talk + "os.kill(os.getpid(), 9)"
    with pytest.raises(
        RecommenderError, match=r"^worker 0 crashed 5 times .* was killed by SIGKILL; giving up$"
    ):
        supervisor.supervise(options(tmp_path))
    assert len(started) == 5


def test_a_worker_that_says_why_it_cannot_start_is_not_started_again(
    started: list[int], tmp_path: Path
) -> None:
    WORKER["code"] = (
        TALK + 'channel.sendall(b\'{"error": "no such thing", "exit_status": 2}\\n\'); sys.exit(2)'
    )
    with pytest.raises(RecommenderError, match=r"^no such thing$") as raised:
        supervisor.supervise(options(tmp_path))
    assert raised.value.exit_status == 2
    assert len(started) == 1


def test_a_worker_that_fails_before_it_could_answer_is_not_started_again(
    started: list[int], tmp_path: Path
) -> None:
    WORKER["code"] = "raise SystemExit(3)"
    with pytest.raises(RecommenderError, match=r"^worker 0 ended with exit status 3 before it could answer$"):
        supervisor.supervise(options(tmp_path))
    assert len(started) == 1
