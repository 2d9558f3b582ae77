from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from recommender.deployment.background import Background

SLEEP = "import time; time.sleep(60)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
PARENT = (
    f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); "
    "print(child.pid, flush=True); "
)


@contextmanager
def started(tmp_path: Path, code: str) -> Iterator[Background]:
    process = Background.start([sys.executable, "-c", code], tmp_path / "log")
    try:
        yield process
    finally:
        process.stop(0.1)


def first_line(log: Path) -> str:
    while not (text := log.read_text(encoding="utf-8")).endswith("\n"):
        time.sleep(0.01)
    return text.splitlines()[0]


def test_no_signal_for_us_reaches_it_and_all_that_it_says_is_in_the_log(tmp_path: Path) -> None:
    code = f"import os, sys; print('to stderr', os.getsid(0), file=sys.stderr, flush=True); {SLEEP}"
    with started(tmp_path, code) as process:
        assert first_line(tmp_path / "log") == f"to stderr {process.pid}"
        assert os.getsid(0) != process.pid


def test_the_log_of_the_process_before_is_kept(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("before", encoding="utf-8")
    with started(tmp_path, "print('now')"):
        assert first_line(tmp_path / "log") == "now"
        assert (tmp_path / "log.1").read_text(encoding="utf-8") == "before"


def test_a_process_runs_until_it_is_stopped(tmp_path: Path) -> None:
    with started(tmp_path, SLEEP) as process:
        assert process.is_running()
        process.stop(10)
        assert not process.is_running()
        process.stop(10)


def test_a_process_that_has_ended_but_was_not_waited_for_does_not_run(tmp_path: Path) -> None:
    with started(tmp_path, "") as process:
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        assert not process.is_running()


def test_the_same_id_with_another_start_is_another_process(tmp_path: Path) -> None:
    with started(tmp_path, SLEEP) as process:
        other = replace(process, started=process.started - 60)
        assert not other.is_running()
        other.stop(0.1)
        assert process.is_running()


def test_a_process_that_does_not_end_is_killed_with_what_it_has_started(tmp_path: Path) -> None:
    with started(tmp_path, DEAF + PARENT + SLEEP) as process:
        child = psutil.Process(int(first_line(tmp_path / "log")))
        process.stop(0.2)
        assert not process.is_running()
        child.wait(10)


def test_the_ports_of_a_process_are_also_those_of_its_children(tmp_path: Path) -> None:
    listen = (
        "import socket, time; place = socket.create_server(('127.0.0.1', 0)); "
        "print(place.getsockname()[1], flush=True); time.sleep(60)"
    )
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {listen!r}])"
    with started(tmp_path, code) as process:
        port = int(first_line(tmp_path / "log"))
        assert process.ports() == {port}
        (child,) = psutil.Process(process.pid).children()
        child.kill()
