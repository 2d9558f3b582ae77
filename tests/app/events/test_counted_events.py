"""A start counts what came since the last one, and arrives at what reading everything would give."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import orjson
import pytest

from recommender.app.events import Acted, Counts, EventLog, Shown, event_log
from recommender.app.events.counted import NAME, count_folder

ITEMS = [("m1", 2.5, 4.0, ("retrieval",)), ("m2", 1.5, None, ("newest",))]


def shown(request_id: str, variant: str = "a") -> Shown:
    return Shown(request_id, "u", "two_stage", "order", {"order": variant}, 0.5, 1.0, 7, [], ITEMS)


def click(request_id: str, movie_id: str = "m1") -> Acted:
    return Acted("click", request_id, "u", [movie_id], 2.0)


def counts(folder: Path) -> list[Counts]:
    log = EventLog(folder)
    found = [log.traffic.counts("order", variant) for variant in "ab"]
    log.close()
    return found


def test_what_was_counted_before_is_not_read_again(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    log.add(shown("r1"))
    log.add(click("r1"))
    log.close()
    (file,) = tmp_path.glob("*.jsonl")
    file.write_bytes(b"x" * file.stat().st_size)
    _, _, read = count_folder(tmp_path)
    assert read == 0
    again = EventLog(tmp_path)
    assert again.traffic.counts("order", "a") == Counts(1, 1, 1)
    assert again.add(click("r1"))  # the list is remembered, and that it was clicked
    assert again.add(click("r1", "m2"))
    assert again.traffic.counts("order", "a") == Counts(1, 2, 2)
    again.close()


def test_kills_restarts_and_several_processes_count_every_record_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "SAVED_EVERY", 3)
    monkeypatch.setattr(event_log, "EVERY", 3600.0)  # only what is written here is written
    chance = random.Random(0)
    folder, number, clicks = tmp_path / "0", 0, 0
    for restart in range(6):
        logs = [EventLog(folder), EventLog(folder)]
        for _ in range(20):
            number += 1
            log = chance.choice(logs)
            log.add(shown(f"r{number}", chance.choice("ab")))
            if chance.random() < 0.5:
                clicks += 1
                chance.choice(logs).add(click(f"r{number}"))  # the other process does not know the list
            for log in logs:
                log._write()
        killed = tmp_path / str(restart + 1)
        shutil.copytree(folder, killed)
        for log in logs:
            log.close()
        folder = killed
    assert (folder / NAME).exists()
    from_saved = counts(folder)
    (folder / NAME).unlink()
    assert from_saved == counts(folder)
    assert sum(count.requests for count in from_saved) == 120
    assert sum(count.clicks for count in from_saved) == clicks > 0


@pytest.mark.parametrize("saver", [0, 1])
def test_a_click_on_the_list_of_another_process_counts_once_whoever_saves_last(
    tmp_path: Path, saver: int
) -> None:
    logs = [EventLog(tmp_path), EventLog(tmp_path)]
    logs[0].add(shown("r1"))
    assert not logs[1].add(click("r1"))
    logs[1 - saver].close()
    logs[saver].close()
    assert [counts(tmp_path)[0] for _ in range(2)] == [Counts(1, 1, 1)] * 2


NO_MOVIES = b'{"counts": [], "lists": [], "early": [["click", "r1", "u", 1, 2.0]]}'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"places": {}}',
        b'{"places": [], "traffic": {"counts": 1}}',
        b'{"places": {"FILE": 1.5}, "traffic": TRAFFIC}',
        b'{"places": {"FILE": -3}, "traffic": TRAFFIC}',
        b'{"places": {"FILE": true}, "traffic": TRAFFIC}',
        b'{"places": {"FILE": 0}, "traffic": %s}' % NO_MOVIES,
    ],
)
def test_a_file_of_counts_that_cannot_be_read_is_made_anew(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    log = EventLog(tmp_path)
    log.add(shown("r1"))
    log.close()
    (file,) = tmp_path.glob("*.jsonl")
    traffic = orjson.dumps(log.traffic.saved())
    (tmp_path / NAME).write_bytes(content.replace(b"FILE", file.name.encode()).replace(b"TRAFFIC", traffic))
    assert counts(tmp_path)[0] == Counts(1, 0, 0)
    assert len(caplog.messages) == 1
    assert counts(tmp_path)[0] == Counts(1, 0, 0)
    assert len(caplog.messages) == 1  # it was made anew


def test_a_folder_in_the_place_of_the_file_of_counts_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    log = EventLog(tmp_path)
    log.add(shown("r1"))
    log.close()
    assert counts(tmp_path)[0] == Counts(1, 0, 0)


def test_what_the_disk_never_took_is_not_in_the_counts_of_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "EVERY", 3600.0)
    monkeypatch.setattr(event_log, "MOST_WAITING", 2)
    monkeypatch.setattr(event_log, "SAVED_EVERY", 1)
    log = EventLog(tmp_path)
    for number in range(3):
        log.add(shown(f"r{number}"))
    assert log.dropped == 1
    assert log.traffic.counts("order", "a").requests == 3
    log._write()  # the disk takes records again
    log.add(shown("r3"))
    log.close()
    assert counts(tmp_path)[0].requests == 3


def test_counts_are_those_of_the_files_that_are_left(tmp_path: Path) -> None:
    for number in range(2):
        log = EventLog(tmp_path)
        log.add(shown(f"r{number}"))
        log.close()
    next(tmp_path.glob("*.jsonl")).unlink()
    assert counts(tmp_path)[0] == Counts(1, 0, 0)


def test_a_list_of_more_movies_than_a_number_has_bits_is_remembered(tmp_path: Path) -> None:
    items = [(f"m{place}", 1.0, None, ("recent",)) for place in range(100)]
    log = EventLog(tmp_path)
    log.add(Shown("r1", "u", "v", "order", {"order": "a"}, 0.0, 1.0, 7, [], items))
    log.add(Acted("impression", "r1", "u", [item[0] for item in items], 2.0))
    log.close()
    assert counts(tmp_path)[0] == Counts(1, 100, 0)
