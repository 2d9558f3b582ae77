from __future__ import annotations

import threading
from pathlib import Path

from recommender.app.features import open_backend
from recommender.app.per_thread import PerThread


class Noted:
    """Remembers whether it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def in_a_thread(call) -> object:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join()
    return found[0]


def test_every_thread_has_its_own() -> None:
    noted = PerThread(Noted)
    mine, others = noted.get(), in_a_thread(noted.get)
    assert noted.get() is mine
    assert others is not mine


def test_what_a_thread_that_has_ended_left_behind_is_closed_with_the_next_that_is_made() -> None:
    noted = PerThread(Noted)
    mine = noted.get()
    ended = [in_a_thread(noted.get) for _ in range(3)]
    assert [one.closed for one in ended] == [1, 1, 0]
    assert mine.closed == 0


def test_closing_closes_all_once_and_who_asks_later_gets_a_new_one() -> None:
    noted = PerThread(Noted)
    made = [noted.get(), in_a_thread(noted.get)]
    noted.close()
    noted.close()
    assert [one.closed for one in made] == [1, 1]
    assert noted.get() not in made


def test_a_store_that_many_threads_have_asked_keeps_few_files_open(tmp_path: Path) -> None:
    path = tmp_path / "features.sqlite"
    backend = open_backend(f"sqlite:{path}")
    for _ in range(30):
        in_a_thread(backend.events)
    links = (link.resolve() for link in Path("/proc/self/fd").iterdir())
    assert sum(link == path for link in links) <= 3
    backend.close()
