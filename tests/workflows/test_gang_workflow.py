"""The training workflow whose models several tasks fit together: a gang of Metaflow's."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from recommender.cluster.gang import free_port

Workplace = Any
GANG = ("distribution={strategy: multi_worker, workers: 3}", "training.batch_size=1_026")


@pytest.mark.slow
def test_a_gang_fits_what_one_process_then_measures_and_publishes(workplace: Workplace) -> None:
    """With stand-ins for the heavy stages; the tasks meet as they do without."""
    batches = "retrieval.training.batch_size=33"
    arguments = ["run", str(workplace.settings), *GANG, batches]
    assert workplace.run("recommender", *arguments, STANDIN_FAIL="evaluate")[0] == 1
    assert sorted(detail for _, detail in workplace.log("fit", "end")) == ["0 of 3", "1 of 3", "2 of 3"]
    status, output = workplace.run("recommender", "run", str(workplace.settings), "--resume", "latest")
    assert status == 0, output
    assert len(workplace.log("fit", "begin")) == 3
    assert not workplace.log("train", "begin")
    assert [version.name for version in workplace.versions()] == ["1"]


TINY = (
    "data.dataset=synthetic",
    "data.synthetic={users: 120, movies: 80, ratings: 3000}",
    "retrieval={embedding_size: 8, candidates: 20, priors: [], training: {epochs: 1}}",
    "ranking.embedding_size=4",
    "ranking.head_options={factors: 3, iterations: 2, folds: 2, hidden: [8]}",
    "distribution={strategy: multi_worker, workers: 2, peer_timeout: 5.0}",
)
EPOCHS = 40  # so many that a kill after the first falls long before the end


@pytest.fixture
def real(workplace: Workplace) -> Workplace:
    """The same place without stand-ins."""
    workplace.first_on_path = ()
    workplace.patience = 600
    return workplace


def begun(place: Workplace, epochs: int = EPOCHS) -> Any:
    """A run whose ranking model is being fitted."""
    training = f"training={{epochs: {epochs}, patience: 0}}"
    command = place.start("recommender", "run", str(place.settings), *TINY, training)
    place.wait_for(lambda: command.poll() is not None or progress_files(place), place.patience)
    assert command.poll() is None, place.finish(command)[1]
    return command


def progress_files(place: Workplace) -> list[Path]:
    return list((place.folder / "data/runs").glob("*/ranking/progress.json"))


def processes_in(place: Workplace) -> list[psutil.Process]:
    """All that work in the folder, whoever started them."""
    found = []
    for process in psutil.process_iter(["cwd", "cmdline", "status"]):
        if process.info["cwd"] == str(place.folder) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def task(place: Workplace, index: int) -> psutil.Process:
    """The process of one task of the gang."""
    (found,) = (
        process
        for process in processes_in(place)
        if "fit" in process.info["cmdline"] and f"--split-index {index}" in " ".join(process.info["cmdline"])
    )
    return found


@pytest.mark.large
def test_a_gang_publishes_what_two_workers_started_by_hand_would_have_trained(real: Workplace) -> None:
    arguments = [*TINY, "training.epochs=2"]
    status, output = real.run("recommender", "run", str(real.settings), *arguments)
    assert status == 0, output
    (version,) = real.versions()
    metrics = json.loads((version / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["models"]["deep_ranking"]["test"]["rmse"] > 0
    (by_gang,) = progress_files(real)
    addresses = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    workers = [
        real.start(
            "recommender",
            *("worker", "--run", "by-hand", "--config", str(real.settings), *arguments),
            TF_CONFIG=json.dumps(
                {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            ),
        )
        for index in range(2)
    ]
    assert [real.finish(worker)[0] for worker in workers] == [0, 0]
    by_hand = real.folder / "data/runs/by-hand/ranking/progress.json"
    assert json.loads(by_gang.read_text()) == json.loads(by_hand.read_text())


@pytest.mark.large
@pytest.mark.parametrize("index", [0, 1])
def test_a_run_ends_when_a_task_of_its_gang_dies_and_goes_on_where_it_was(
    real: Workplace, index: int
) -> None:
    command = begun(real)
    task(real, index).kill()
    at_the_kill = json.loads(progress_files(real)[0].read_text())["validation"]
    status, output = real.finish(command)
    assert status == 1
    assert "Traceback" not in output
    assert "the workflow failed, its output says why; to go on with it: " in output
    assert f"the cluster has stopped: worker {index} at 127.0.0.1:" in output
    real.wait_for(lambda: not processes_in(real))
    status, output = real.run("recommender", "run", str(real.settings), "--resume", "latest")
    assert status == 0, output
    (progress,) = progress_files(real)
    validation = json.loads(progress.read_text())["validation"]
    assert 0 < len(at_the_kill) < len(validation) == EPOCHS
    assert validation[: len(at_the_kill)] == at_the_kill
    assert len(real.versions()) == 1


@pytest.mark.large
def test_ctrl_c_ends_all_tasks_of_a_gang(real: Workplace) -> None:
    command = begun(real)
    os.kill(command.pid, signal.SIGINT)
    assert real.finish(command)[0] == 128 + signal.SIGINT
    real.wait_for(lambda: not processes_in(real))
