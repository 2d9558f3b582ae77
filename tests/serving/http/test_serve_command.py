"""`recommender serve` from outside: start, stop, crashes, metrics of several workers."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from serve_process import PATIENCE, Server, command, gone, kill, serving, until

if TYPE_CHECKING:
    from saved_models import SavedModels


def run(*flags: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*flags), capture_output=True, text=True, timeout=PATIENCE, cwd=cwd)


def test_a_busy_port_is_one_line_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("--rest_api_port", str(port), "--model_base_path=/nowhere")
    assert ended.returncode == 1
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"error: rest_api_port: cannot listen on 127.0.0.1:{port}: the port is in use")


@pytest.mark.parametrize("flag", ["model_config_file", "monitoring_config_file"])
def test_a_file_that_cannot_be_used_is_told_before_anything_starts(tmp_path: Path, flag: str) -> None:
    file = tmp_path / "settings"
    file.write_text("no_such_field: 1")
    ended = run("--rest_api_port=0", f"--{flag}={file}", "--model_base_path=/nowhere")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert str(file) in line
    assert "no_such_field" in line


def test_an_access_log_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    flags = ["--rest_api_port=0", f"--model_base_path={tmp_path}", f"--access_log={tmp_path}/no/log"]
    ended = run(*flags)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith("error: access_log: ")
    assert "Traceback" not in ended.stderr


@pytest.fixture(scope="module")
def base(saved_models: SavedModels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two models: `half_plus_two` and `slow`."""
    folder = tmp_path_factory.mktemp("base")
    saved_models.place("half_plus_two", folder / "half_plus_two" / "7")
    saved_models.place("slow", folder / "slow" / "1")
    return folder


@pytest.fixture(scope="module")
def pair(base: Path, tmp_path_factory: pytest.TempPathFactory):
    """Two workers."""
    flags = ["--model_name", "half", "--model_base_path", str(base / "half_plus_two"), "--workers=2"]
    with serving(tmp_path_factory.mktemp("pair"), *flags, "--access_log=access.log") as server:
        yield server


def counted(server: Server) -> float:
    page = requests.get(f"{server.base}/monitoring/prometheus/metrics", timeout=PATIENCE)
    assert page.headers["Content-Type"] == "text/plain"
    families = {family.name: family for family in text_string_to_metric_families(page.text)}
    counts = [
        sample.value
        for sample in families[":tensorflow:serving:request_latency"].samples
        if sample.name.endswith("_count") and sample.labels["API"] == "predict"
    ]
    return sum(counts)


@pytest.mark.slow
def test_one_line_says_what_is_served_where(pair: Server) -> None:
    assert pair.line == f"serving half, version 7, at {pair.base}/v1/models/half\n"
    assert pair.url.startswith("http://127.0.0.1:")
    status = requests.get(pair.url, timeout=PATIENCE).json()["model_version_status"]
    assert [(version["version"], version["state"]) for version in status] == [("7", "AVAILABLE")]


@pytest.mark.slow
def test_whichever_worker_is_asked_shows_the_metrics_of_all(pair: Server) -> None:
    before = counted(pair)
    makers: set[str] = set()
    asked = 0
    while len(makers) < 2 or asked < 20:  # a worker's own part begins the ids it makes
        assert asked < 1000
        answer = pair.predict(1.0)
        assert answer.json() == {"predictions": [2.5]}
        makers.add(answer.headers["X-Request-Id"].partition("-")[0])
        asked += 1
    assert {counted(pair) for _ in range(10)} == {before + asked}


@pytest.mark.slow
def test_workers_share_one_access_log(pair: Server) -> None:
    log = Path(pair.log).with_name("access.log")
    pair.predict(1.0)

    def lines() -> list[dict]:
        return [json.loads(line) for line in log.read_text().splitlines()]

    until(lambda: any(line["target"] == "/v1/models/half:predict" for line in lines()))


@pytest.mark.slow
def test_a_killed_worker_is_started_again_while_the_other_answers(pair: Server) -> None:
    victim = pair.workers[0].pid
    kill(victim)
    until(lambda: gone(victim))
    for _ in range(20):
        assert pair.predict(3.0).json() == {"predictions": [3.5]}
    makers = {pair.predict(3.0).headers["X-Request-Id"].partition("-")[0]}
    until(lambda: makers.add(pair.predict(3.0).headers["X-Request-Id"].partition("-")[0]) or len(makers) > 1)
    assert victim not in [worker.pid for worker in pair.workers]
    assert f"(pid {victim}) was killed by SIGKILL; another one starts in" in pair.log.read_text()


@pytest.mark.slow
def test_workers_end_when_their_supervisor_is_killed(pair: Server) -> None:
    until(lambda: len(pair.workers) == 2)
    workers = [worker.pid for worker in pair.workers]
    pair.process.kill()
    until(lambda: all(gone(pid) for pid in workers))


class Question(threading.Thread):
    """A request that takes about as many times ten microseconds as it says, asked from a thread."""

    def __init__(self, server: Server, steps: int) -> None:
        super().__init__(daemon=True)
        self._server, self._steps = server, steps
        self.answer: dict | None = None
        self.start()

    def run(self) -> None:
        try:
            body = {"inputs": self._steps}
            answer = requests.post(f"{self._server.url}:predict", json=body, timeout=PATIENCE)
        except requests.ConnectionError:
            return
        self.answer = answer.json()


def busy(server: Server) -> bool:
    """Whether the worker computes: its processor time grows."""
    before = sum(server.workers[0].cpu_times()[:2])
    threading.Event().wait(0.2)
    return sum(server.workers[0].cpu_times()[:2]) - before > 0.1


@pytest.mark.slow
def test_a_server_that_is_told_to_stop_finishes_what_it_has_begun(base: Path, tmp_path: Path) -> None:
    with serving(tmp_path, f"--model_base_path={base / 'slow'}", "--access_log=none") as server:
        assert requests.post(f"{server.url}:predict", json={"inputs": 3}, timeout=PATIENCE).json() == {
            "outputs": 3
        }
        question = Question(server, 100_000)
        until(lambda: busy(server) or not question.is_alive())
        assert server.stop() == 0
        question.join(PATIENCE)
        assert question.answer == {"outputs": 100_000}


@pytest.mark.slow
def test_told_twice_it_ends_at_once(base: Path, tmp_path: Path) -> None:
    with serving(tmp_path, f"--model_base_path={base / 'slow'}", "--rest_api_timeout_in_ms=0") as server:
        worker = server.workers[0].pid
        question = Question(server, 50_000_000)
        until(lambda: busy(server))
        server.process.send_signal(signal.SIGTERM)  # not SIGINT, which jobs in the background ignore
        until(lambda: refused(server))
        assert server.stop(signal.SIGTERM) == 1
        assert gone(worker)
        question.join(PATIENCE)
        assert question.answer is None


def refused(server: Server) -> bool:
    try:
        requests.get(server.url, timeout=PATIENCE)
    except requests.ConnectionError:
        return True
    return False
