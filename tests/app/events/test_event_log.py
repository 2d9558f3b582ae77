"""The event log is complete after a close, after a kill, and after a disk that was full."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from recommender.app.events import Acted, Counts, EventLog, Shown
from recommender.app.events.reading import read_records, shown_movies

ITEMS = [("m1", 2.5, 4.0, ("retrieval", "recent")), ("m2", 1.5, None, ("newest",))]


def shown(request_id: str, user_id: str = "u", time: float = 1.0) -> Shown:
    return Shown(request_id, user_id, "two_stage", "order", {"order": "a"}, 0.5, time, 7, ["ranking"], ITEMS)


def click(request_id: str, movie_id: str = "m1", user_id: str = "u", time: float = 2.0) -> Acted:
    return Acted("click", request_id, user_id, [movie_id], time)


def test_records_are_read_as_they_were_given(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events")
    records = [shown("r1"), Acted("impression", "r1", "u", ["m1", "m2"], 1.5), click("r1")]
    for record in records:
        log.add(record)
    log.close()
    assert list(read_records(tmp_path / "events")) == records


def test_records_are_on_the_disk_without_a_close(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    log.add(shown("r1"))
    end = time.monotonic() + 30
    while not list(read_records(tmp_path)):
        assert time.monotonic() < end
        time.sleep(0.01)
    log.close()


def test_counts_go_on_where_the_process_before_ended(tmp_path: Path) -> None:
    first = EventLog(tmp_path)
    first.add(shown("r1"))
    first.add(click("r1"))
    first.close()
    second = EventLog(tmp_path)
    assert second.traffic.counts("order", "a") == Counts(1, 1, 1)
    assert second.add(click("r1", "m2"))  # the list of back then is known
    second.close()
    third = EventLog(tmp_path)
    assert third.traffic.counts("order", "a") == Counts(1, 2, 2)
    third.close()
    assert len(list(tmp_path.glob("*.jsonl"))) == 2  # one of each process that had something to write


def test_what_two_processes_wrote_is_read_in_the_order_of_time(tmp_path: Path) -> None:
    logs = [EventLog(tmp_path), EventLog(tmp_path)]
    for number in range(6):
        logs[number % 2].add(shown(f"r{number}", time=float(number)))
    for log in logs:
        log.close()
    assert [record.request_id for record in read_records(tmp_path)] == [f"r{number}" for number in range(6)]


def test_a_line_that_was_cut_off_is_skipped(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    log.add(shown("r1"))
    log.add(shown("r2"))
    log.close()
    (file,) = tmp_path.glob("*.jsonl")
    file.write_bytes(file.read_bytes()[:-20])
    assert [record.request_id for record in read_records(tmp_path)] == ["r1"]
    again = EventLog(tmp_path)
    again.add(shown("r3", time=3.0))
    again.close()
    assert [record.request_id for record in read_records(tmp_path)] == ["r1", "r3"]


@pytest.mark.parametrize("line", [b"\n", b"null\n", b"[1]\n", b'{"kind": "list"}\n', b"\xff\xfe\n"])
def test_a_line_that_is_no_record_is_skipped(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "2026-01-01-other.jsonl").write_bytes(line)
    assert list(read_records(tmp_path)) == []


def test_a_disk_that_takes_half_a_line_and_then_works_again_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog(tmp_path)
    log.add(shown("r1"))
    sync = os.fsync

    def full(file: int) -> None:
        os.ftruncate(file, os.fstat(file).st_size - 9)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        end = time.monotonic() + 30
        while not log._failing:
            assert time.monotonic() < end
            time.sleep(0.01)
        log.add(shown("r2", time=2.0))
    assert os.fsync is sync
    log.close()
    assert [record.request_id for record in read_records(tmp_path)] == ["r1", "r2"]


def test_many_threads_lose_nothing(tmp_path: Path) -> None:
    log = EventLog(tmp_path)

    def add(thread: int) -> None:
        for number in range(200):
            log.add(shown(f"{thread}-{number}"))

    threads = [threading.Thread(target=add, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert len({record.request_id for record in read_records(tmp_path)}) == 1_600
    assert log.traffic.counts("order", "a").requests == 1_600
    assert log.dropped == 0


def test_a_killed_process_leaves_whole_lines(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from recommender.app.events import EventLog, Shown\n"
        "log = EventLog(Path(sys.argv[1])); number = 0\n"
        "while True:\n"
        "    log.add(Shown(f'r{number}', 'u', 'v', 'default', {}, 0.0, number, 1, [], []))\n"
        "    number += 1\n"
        "    time.sleep(0.001)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
    end = time.monotonic() + 60
    while len(list(read_records(tmp_path))) < 50:
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    numbers = [int(record.request_id[1:]) for record in read_records(tmp_path)]
    assert numbers == list(range(len(numbers)))


def test_the_table_has_a_row_for_each_movie_of_each_list(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    for record in (shown("r1"), shown("r2", "v"), Acted("impression", "r1", "u", ["m1", "m2"], 2.0)):
        log.add(record)
    log.add(click("r1", "m2"))
    log.add(click("r2", "m1", user_id="somebody else"))
    log.close()
    table = shown_movies(tmp_path)
    assert table["movie_id"].tolist() == ["m1", "m2", "m1", "m2"]
    assert table["place"].tolist() == [1, 2, 1, 2]
    assert table["seen"].tolist() == [True, True, False, False]
    assert table["clicked"].tolist() == [False, True, False, False]
    assert table["channels"].tolist()[:2] == [["retrieval", "recent"], ["newest"]]
    assert table["prediction"].isna().tolist() == [False, True, False, True]
    assert table["degraded"].all()


def test_an_empty_log_gives_an_empty_table(tmp_path: Path) -> None:
    assert shown_movies(tmp_path).empty
