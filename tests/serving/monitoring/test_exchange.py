"""Workers that tell each other what they have counted."""

from __future__ import annotations

import socket
from pathlib import Path

from recommender.serving.monitoring.exchange import collect, publish
from recommender.serving.monitoring.exposition import exposition
from recommender.serving.monitoring.metrics import Metrics
from recommender.serving.status import Code


def counted(times: int) -> Metrics:
    metrics = Metrics()
    for number in range(times):
        metrics.request("m", "predict", Code.OK, 0.001 * (number + 1))
    return metrics


def test_whichever_worker_is_asked_answers_for_all(tmp_path: Path) -> None:
    workers = [counted(1), counted(2), counted(4)]
    for number, metrics in enumerate(workers):
        publish(metrics, tmp_path, number)
    together = exposition(counted(1 + 2 + 4))
    pages = [exposition(collect(metrics, tmp_path, number)) for number, metrics in enumerate(workers)]
    assert 'request_count{model_name="m",status="OK"} 7' in pages[0]
    assert pages[0] == pages[1] == pages[2]
    assert len(pages[0].splitlines()) == len(together.splitlines())
    assert [sum(metrics.counters.values()) for metrics in workers] == [1, 2, 4]  # asking changes nothing


def test_a_worker_alone_answers_for_itself() -> None:
    assert exposition(collect(counted(3), None, 0)) == exposition(counted(3))


def test_a_crashed_worker_is_left_out_and_its_successor_takes_its_place(tmp_path: Path) -> None:
    left_over = socket.socket(socket.AF_UNIX)
    left_over.bind(str(tmp_path / "1.metrics"))
    left_over.close()
    first = counted(1)
    publish(first, tmp_path, 0)
    assert sum(collect(first, tmp_path, 0).counters.values()) == 1
    publish(counted(5), tmp_path, 1)
    assert sum(collect(first, tmp_path, 0).counters.values()) == 6
