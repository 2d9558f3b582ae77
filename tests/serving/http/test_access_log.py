"""The access log: one line of JSON per request."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from served_application import Client, EchoApplication, get, post, served

from recommender.errors import ConfigError
from recommender.serving.http import access_log
from recommender.serving.http.access_log import AccessLog


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_answer_has_a_line(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    with (
        served(EchoApplication(), make_log=lambda: AccessLog(path)) as running,
        Client(running.port) as client,
    ):
        client.send(post("/a?b", b"body", "X-Request-Id: first") + get("/thread/x") + b"\0")
        bodies = [client.receive().body for _ in range(3)]
    first, second, third = lines(path)
    assert (first["id"], first["client"], first["method"], first["target"]) == (
        "first",
        "127.0.0.1",
        "POST",
        "/a?b",
    )
    assert (first["status"], first["bytes"]) == (200, len(bodies[0]))
    assert first["time"].endswith("Z")
    assert 0 <= first["ms"] < 20_000
    assert (second["method"], second["target"], second["status"]) == ("GET", "/thread/x", 200)
    assert (third["method"], third["target"], third["status"]) == ("", "", 400)


def test_a_target_cannot_break_its_line(tmp_path: Path) -> None:
    log = AccessLog(tmp_path / "access.log")
    log.add("::1", "1", "GET", '/"\n{"x": \xff', 200, 1, 0.5)
    log.close()
    assert [line["target"] for line in lines(tmp_path / "access.log")] == ['/"\n{"x": \xff']


def test_a_file_that_was_moved_away_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(path)
    log.add("c", "1", "GET", "/1", 200, 1, 0.5)
    log._flush()
    path.rename(tmp_path / "access.log.1")
    log.add("c", "2", "GET", "/2", 200, 1, 0.5)
    log.close()
    assert [line["id"] for line in lines(tmp_path / "access.log.1")] == ["1"]
    assert [line["id"] for line in lines(path)] == ["2"]


def test_lines_that_cannot_be_kept_are_dropped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_log, "MOST_WAITING", 3)
    monkeypatch.setattr(access_log, "FLUSH_SECONDS", 60)
    log = AccessLog(tmp_path / "access.log")
    for number in range(10):
        log.add("c", str(number), "GET", "/", 200, 1, 0.5)
    log.close()
    assert [line.get("id", line.get("dropped")) for line in lines(tmp_path / "access.log")] == [
        "0",
        "1",
        "2",
        7,
    ]


def test_a_log_that_cannot_be_written_is_told_before_work(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^access_log: .*no/access\.log: cannot be written: No such file"):
        AccessLog(tmp_path / "no" / "access.log")
