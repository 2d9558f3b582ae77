"""Two workers on loopback against one process, on a model small enough to know the answer."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from recommender.training.placement.replicated import Replicated, shares

PROGRAM = Path(__file__).with_name("two_workers.py")
PATIENCE = 240  # seconds, for two TensorFlows on a busy machine


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What each worker says."""
    folder = tmp_path_factory.mktemp("fits")
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    workers = []
    for index in range(2):
        tree = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environ = {**os.environ, "TF_CONFIG": json.dumps(tree), "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, str(PROGRAM), str(folder)]
        workers.append(
            subprocess.Popen(
                command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
        )
    try:
        said = [worker.communicate(timeout=PATIENCE)[0] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert [worker.returncode for worker in workers] == [0, 0], said
    return [json.loads(text.splitlines()[-1]) for text in said]


def test_two_workers_take_the_steps_of_one_process(told: list[dict]) -> None:
    for worker in told:
        np.testing.assert_allclose(worker["two"]["weights"], worker["one"]["weights"], rtol=1e-4)
        np.testing.assert_allclose(worker["two"]["loss"], worker["one"]["loss"], rtol=1e-4)
        assert worker["two"]["rmse"] < worker["first"]["validation"][0] / 2


def test_they_begin_with_the_same_weights_whatever_their_seeds(told: list[dict]) -> None:
    assert told[0]["still"]["weights"] == told[1]["still"]["weights"]
    assert told[0]["still"]["weights"] != [0, 0]


def test_the_loss_is_that_of_all_rows_together(told: list[dict]) -> None:
    for worker in told:
        still = worker["still"]
        assert still["loss"][0] == pytest.approx(still["rmse"] ** 2, rel=0.1)  # a mean of batches, one of 8


def test_a_metric_in_the_history_of_fit_is_multiplied_by_the_replicas_and_ours_is_not(
    told: list[dict],
) -> None:
    for worker in told:
        assert worker["keras"]["one"] == pytest.approx(1, rel=1e-4)
        assert worker["keras"]["two"] == pytest.approx(2, rel=1e-4)
        assert min(worker["two"]["validation"]) == pytest.approx(worker["two"]["rmse"], rel=1e-5)


def test_a_fit_goes_on_and_only_the_leader_writes(told: list[dict]) -> None:
    for worker in told:
        assert len(worker["first"]["validation"]) == 1
        assert worker["two"]["validation"][0] == worker["first"]["validation"][0]
        assert len(worker["two"]["validation"]) == 3
        assert worker["two"] == told[0]["two"]
    assert set(told[0]["written"]) == {"one-0", "one-1", "still", "two"}


def test_where_no_disk_is_shared_one_that_follows_ends_with_the_same_weights(told: list[dict]) -> None:
    for worker in told:
        assert worker["apart"] == told[0]["apart"]
        np.testing.assert_allclose(worker["apart"]["weights"], worker["two"]["weights"], rtol=1e-4)


def test_what_the_leader_says_holds_for_all(told: list[dict]) -> None:
    assert [worker["agreed"] for worker in told] == [7.0, 7.0]


def test_one_that_follows_keeps_what_it_writes_apart(tmp_path: Path) -> None:
    run, strategy = tmp_path / "run", tf.distribute.get_strategy()
    folders = [run / "retrieval", run / "ranking", run / "retrieval" / "refit", run / "ranking" / "refit"]
    leader, follower = Replicated(strategy, None), Replicated(strategy, tmp_path / "elsewhere")
    assert [leader.writes_to(folder) for folder in folders] == folders
    written = {follower.writes_to(folder) for folder in folders}
    assert len(written) == 4
    assert all(folder.is_relative_to(tmp_path / "elsewhere") for folder in written)


def test_every_replica_has_rows_in_every_step(told: list[dict]) -> None:
    assert told[0]["batch_size"] == [2, 2, 14, 16]
    assert told[0]["steps"] == [1, 1, 2, 2, 2]


def test_shares_are_equal_disjoint_and_all_but_what_does_not_divide() -> None:
    rows = {"x": np.arange(26), "y": np.arange(52).reshape(26, 2)}
    batches = tf.data.Dataset.from_tensor_slices(rows).batch(10)
    first = list(shares(batches, 4, 0, 1))
    rest = list(shares(batches, 4, 1, 3))
    assert [len(share["x"]) for share in first] == [2, 2, 1]
    assert [len(share["x"]) for share in rest] == [2, 2, 2, 2, 2, 2, 1, 1, 1]
    seen = np.concatenate([share["x"].numpy() for share in (*first, *rest)])
    assert sorted(seen) == [*range(8), *range(10, 18), *range(20, 24)]
    for share in (*first, *rest):
        np.testing.assert_array_equal(share["y"][:, 0], 2 * share["x"])
