"""Two workers on loopback, one of which is killed: what the other says, and how the next start goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from members import Members

from recommender import training
from recommender.config import Settings, resolve
from recommender.data.prepared import Prepared
from recommender.errors import ConfigError
from recommender.training.ranking import predict, ranking_rows, train_ranking
from recommender.training.retrieval import RetrievalScorer
from recommender.workflows.runs import SETTINGS_FILE

pytestmark = pytest.mark.slow

EPOCHS = 8
MANY_EPOCHS = 1000  # of the start whose worker is killed: it must not end before
OVERRIDES = (
    "ranking.head=mlp",
    "ranking.head_options={hidden: [16, 8]}",
    "ranking.features=[user_id, movie_id, genres, user_deviation, movie_deviation, user_count, movie_count]",
    f"training={{epochs: {EPOCHS}, batch_size: 128, learning_rate: 0.01, patience: 0}}",
    "retrieval.history_encoder=[pooled]",
    "retrieval.training.epochs=1",
)
CLUSTER = ("distribution={strategy: multi_worker, peer_timeout: 5.0}",)


class Told(NamedTuple):
    """What both starts left behind."""

    survivor: int
    survivor_said: str
    at_the_kill: dict
    ended: list[int]
    epochs: int
    run_folder: Path


@pytest.fixture(scope="module")
def one_process(settings: Settings) -> Settings:
    return resolve(settings.model_dump(mode="json"), OVERRIDES, {})


@pytest.fixture(scope="module")
def clustered(one_process: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    runs = tmp_path_factory.mktemp("runs")
    return resolve(one_process.model_dump(mode="json"), [*CLUSTER, f"workflow.runs={runs}"], {})


@pytest.fixture(scope="module")
def told(clustered: Settings, prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("cluster")
    file = folder / "settings.yaml"
    file.write_text(clustered.to_yaml(), encoding="utf-8")
    run_folder = clustered.workflow.runs / "killed"
    progress = run_folder / "ranking" / "progress.json"
    words = ["--run", "killed", "--config", str(file)]
    with Members(folder / "first", {"worker": 2}, [*words, f"training.epochs={MANY_EPOCHS}"]) as members:
        members.wait_until(progress.exists)
        members.kill("worker", 1)
        survivor = members.end("worker", 0)
        said = members.said("worker", 0)
    at_the_kill = json.loads(progress.read_text())
    (run_folder / SETTINGS_FILE).unlink()  # to go on for fewer epochs than the run was begun for
    epochs = max(EPOCHS, len(at_the_kill["validation"]) + 2)
    with Members(folder / "again", {"worker": 2}, [*words, f"training.epochs={epochs}"]) as members:
        ended = [members.end("worker", index) for index in range(2)]
    return Told(survivor, said, at_the_kill, ended, epochs, run_folder)


def test_the_survivor_of_a_killed_worker_ends_with_one_line(told: Told) -> None:
    assert told.survivor == 1
    errors = [line for line in told.survivor_said.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "worker 1 at 127.0.0.1:" in errors[0]
    assert "started again, all members go on" in errors[0]


def test_the_same_command_goes_on_from_the_last_checkpoint(told: Told) -> None:
    progress = json.loads((told.run_folder / "ranking" / "progress.json").read_text())
    done = len(told.at_the_kill["validation"])
    assert told.ended == [0, 0]
    assert 0 < done < told.epochs
    assert len(progress["validation"]) == told.epochs
    assert progress["validation"][:done] == told.at_the_kill["validation"]


def test_one_process_loads_and_measures_what_they_have_trained(
    told: Told, clustered: Settings, prepared: Prepared
) -> None:
    trained = training.train(clustered, prepared, told.run_folder)
    rows = ranking_rows(clustered, prepared, "validation")
    error = np.sqrt(np.mean((predict(trained.ranking, rows.arrays) - rows.target) ** 2))
    assert error == pytest.approx(min(trained.ranking_progress.validation), rel=1e-5)
    scores = RetrievalScorer(trained.retrieval, prepared.snapshot("test")).scores(np.arange(5))
    assert np.isfinite(scores).all()


def test_ranking_is_as_good_as_by_one_process_with_three_seeds(
    told: Told, one_process: Settings, prepared: Prepared, tmp_path: Path
) -> None:
    alone = []
    for seed in (42, 43, 44):
        settings = one_process.model_copy(update={"seed": seed})
        alone.append(min(train_ranking(settings, prepared, tmp_path / str(seed))[1].validation))
    together = min(json.loads((told.run_folder / "ranking" / "progress.json").read_text())["validation"])
    assert together == pytest.approx(np.mean(alone), rel=0.05), (alone, together)


def test_what_no_cluster_has_trained_is_not_trained_by_one_process_unasked(
    clustered: Settings, prepared: Prepared, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="recommender worker"):
        training.train(clustered, prepared, tmp_path)
