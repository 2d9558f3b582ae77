"""Tasks of a gang find each other on loopback."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from recommender.cluster.checks import check_gang
from recommender.cluster.gang import Place, free_port, meet
from recommender.cluster.tf_config import Cluster
from recommender.config import load_settings
from recommender.errors import ConfigError, RecommenderError

PATIENCE = 20.0  # seconds, for tasks that do come
SHORT = 1.0


@pytest.fixture
def tasks() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as threads:
        yield threads


def places(size: int) -> list[Place]:
    port = free_port()
    return [Place("run 7", index, size, "127.0.0.1", port) for index in range(size)]


@pytest.mark.parametrize("arrival", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_all_hear_of_the_same_tasks_in_the_same_order_whoever_comes_first(
    tasks: ThreadPoolExecutor, arrival: tuple[int, ...]
) -> None:
    gang = places(3)
    coming: dict[int, Future[Cluster]] = {}
    for index in arrival:
        assert not any(task.done() for task in coming.values())  # before the last has come
        coming[index] = tasks.submit(meet, gang[index], PATIENCE)
        time.sleep(SHORT / 10)
    clusters = [coming[index].result() for index in range(3)]
    assert [cluster.task.number for cluster in clusters] == [0, 1, 2]
    assert [cluster.leads for cluster in clusters] == [True, False, False]
    assert clusters[0].jobs == clusters[1].jobs == clusters[2].jobs
    workers = clusters[0].jobs["worker"]
    assert [(worker.job, worker.number) for worker in workers] == [("worker", index) for index in range(3)]
    assert len({worker.address for worker in workers}) == 3
    assert all(worker.address.startswith("127.0.0.1:") for worker in workers)


def test_who_has_not_come_is_told_in_one_line(tasks: ThreadPoolExecutor) -> None:
    gang = places(4)
    there = tasks.submit(meet, gang[2], 3 * SHORT)
    with pytest.raises(RecommenderError) as error:
        meet(gang[0], 2 * SHORT)
    told = "of the gang's 4 tasks 1, 3 did not come within 2 s, distribution.start_timeout"
    assert str(error.value) == told
    with pytest.raises(
        RecommenderError, match=r"^task 2 of the gang has not been told who the others are by"
    ):
        there.result()


def test_a_task_does_not_wait_for_ever_for_the_one_that_leads() -> None:
    with pytest.raises(RecommenderError, match=r"by task 0, at 127\.0\.0\.1:\d+, within 1 s, distribution"):
        meet(places(2)[1], SHORT)


def test_a_task_left_over_from_an_earlier_run_is_waited_out(tasks: ThreadPoolExecutor) -> None:
    gang = places(2)
    left_over = tasks.submit(meet, replace(gang[0], gang="run 6"), SHORT)
    connected(gang[0].port).close()
    coming = [tasks.submit(meet, place, PATIENCE) for place in gang]
    with pytest.raises(RecommenderError):
        left_over.result()
    assert coming[0].result().jobs == coming[1].result().jobs


@pytest.mark.parametrize(
    "rubbish",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b'{"gang": "run 6", "index": 1, "port": 4711}\n',  # left over from an earlier run
        b'{"gang": "run 7", "index": 2, "port": 4711}\n',
        b'{"gang": "run 7", "index": true, "port": 4711}\n',
        b'{"gang": "run 7", "index": 1, "port": 0}\n',
        b"\xff" * 100_000,
        b"",
    ],
    ids=["http", "other-run", "other-size", "no-number", "no-port", "endless", "nothing"],
)
def test_a_stranger_is_turned_away_and_the_gang_still_meets(
    tasks: ThreadPoolExecutor, rubbish: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    gang = places(2)
    leads = tasks.submit(meet, gang[0], PATIENCE)
    with connected(gang[0].port) as stranger:
        with suppress(OSError):  # task 0 may have closed already
            stranger.sendall(rubbish)
            stranger.shutdown(socket.SHUT_WR)
        stranger.settimeout(PATIENCE)
        assert answer_to(stranger) == b""
    assert meet(gang[1], PATIENCE).jobs == leads.result().jobs
    assert capfd.readouterr().out == "turned away 127.0.0.1, which is no task of this gang\n"


def test_two_tasks_with_the_same_number_stop_the_gang(tasks: ThreadPoolExecutor) -> None:
    gang = places(3)
    twins = [tasks.submit(meet, gang[1], 2 * SHORT) for _ in range(2)]
    with pytest.raises(RecommenderError, match=r"^two tasks of the gang say that they are number 1$"):
        meet(gang[0], PATIENCE)
    for twin in twins:
        with pytest.raises(RecommenderError):
            twin.result()


def test_somebody_else_at_the_port_is_no_task_0(tasks: ThreadPoolExecutor) -> None:
    gang = places(2)
    with socket.create_server(("", gang[0].port)) as other:
        with pytest.raises(RecommenderError, match=r"^port \d+, where the gang meets, did not become free"):
            meet(gang[0], SHORT)
        asks = tasks.submit(meet, gang[1], 2 * SHORT)
        connection, _ = other.accept()
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.close()
        with pytest.raises(RecommenderError, match=r"^task 1 of the gang has not been told who the others"):
            asks.result()


def test_nobody_listens_at_a_port_before_its_task_trains(tasks: ThreadPoolExecutor) -> None:
    """Who watches its peers would take the end of it for a death."""
    gang = places(2)
    other = tasks.submit(meet, gang[1], PATIENCE)
    addresses = [member.address for member in meet(gang[0], PATIENCE).jobs["worker"]]
    assert other.result()
    for address in addresses:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["distribution.strategy=multi_worker"],
            "distribution.workers: must be at least 2 in the workflow with "
            "distribution.strategy=multi_worker, received 1",
        ),
        (
            ["distribution={strategy: multi_worker, workers: 3}", "training.batch_size=1024"],
            "training.batch_size: must be a multiple of the 3 workers, received 1024",
        ),
        (
            ["distribution={strategy: multi_worker, workers: 2}", "retrieval.training.batch_size=31"],
            "retrieval.training.batch_size: must be a multiple of the 2 workers, received 31",
        ),
        (
            ["distribution={strategy: multi_worker, workers: 2}", "tuning.trials=3"],
            "tuning.trials: must be 0 on a cluster, which trains with one setting, received 3",
        ),
        (
            ["distribution.strategy=parameter_server"],
            "distribution.strategy: must be single or multi_worker in the workflow, received "
            "'parameter_server': a cluster with servers trains with recommender worker",
        ),
        (
            ["distribution.workers=2"],
            "distribution: workers above 1 are for strategy=multi_worker, not single",
        ),
    ],
)
def test_what_a_gang_cannot_train_is_told_in_one_line(overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        check_gang(load_settings(None, overrides, {}))
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_one_process_and_a_gang_of_two_pass() -> None:
    check_gang(load_settings(None, [], {}))
    check_gang(load_settings(None, ["distribution={strategy: multi_worker, workers: 2}"], {}))


def connected(port: int) -> socket.socket:
    """A connection, as soon as somebody listens there."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            assert time.monotonic() < end
            time.sleep(0.02)


def answer_to(stranger: socket.socket) -> bytes:
    try:
        return stranger.recv(100)
    except ConnectionResetError:  # it was closed before all had been read
        return b""
