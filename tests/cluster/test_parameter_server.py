"""A coordinator, two workers and two servers on loopback; one worker is killed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from members import Members

from recommender import training
from recommender.config import Settings, resolve
from recommender.data.prepared import Prepared
from recommender.export import export
from recommender.training.ranking import ranking_rows, train_ranking

pytestmark = pytest.mark.slow

EPOCHS = 24  # so many that the kill, after the first, falls long before the end
OVERRIDES = (
    "ranking.head=dlrm",
    "ranking.head_options={bottom: [16], top: [16, 8]}",
    "ranking.features=[user_id, movie_id, genres, user_deviation, movie_deviation, user_count, movie_count]",
    f"training={{epochs: {EPOCHS}, batch_size: 128, learning_rate: 0.01, patience: 0, averaging: 0.0}}",
    "retrieval.history_encoder=[pooled]",
    "retrieval.training={epochs: 1, averaging: 0.0}",
)
CLUSTER = ("distribution={strategy: parameter_server, peer_timeout: 5.0, min_shard_bytes: 256}",)
JOBS = {"chief": 1, "worker": 2, "ps": 2}


class Told(NamedTuple):
    """What the run left behind."""

    ended: dict[tuple[str, int], int]
    coordinator_said: str
    epochs_at_the_kill: int
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
    run_folder = clustered.workflow.runs / "served"
    progress = run_folder / "ranking" / "progress.json"
    with Members(folder, JOBS, ["--run", "served", "--config", str(file)]) as members:
        members.wait_until(progress.exists)
        members.kill("worker", 1)
        epochs = len(json.loads(progress.read_text())["validation"])
        ended = {key: members.end(*key) for key in members.processes if key != ("worker", 1)}
        return Told(ended, members.said("chief", 0), epochs, run_folder)


def test_a_killed_worker_does_not_end_the_run_and_its_end_ends_the_servers(told: Told) -> None:
    assert set(told.ended.values()) == {0}, told.coordinator_said
    progress = json.loads((told.run_folder / "ranking" / "progress.json").read_text())
    assert told.epochs_at_the_kill < EPOCHS
    assert len(progress["validation"]) == EPOCHS


def test_tables_lie_in_pieces_on_both_servers(told: Told) -> None:
    tables = {
        name: [(int(start), int(end), task) for start, end, task in re.findall(r"(\d+)-(\d+) (ps \d)", rows)]
        for name, rows in re.findall(r"^(\S+) \(.*\): rows (.*)$", told.coordinator_said, re.MULTILINE)
    }
    for name in ("ranking/embedding/movies/movie_id/embeddings:0", "ranking/embedding/user_id/embeddings:0"):
        (first, middle, one), (next_row, _, other) = tables[name]
        assert (first, next_row) == (0, middle + 1)
        assert {one, other} == {"ps 0", "ps 1"}


def test_the_loss_falls_as_in_one_process(
    told: Told, one_process: Settings, prepared: Prepared, tmp_path: Path
) -> None:
    together = json.loads((told.run_folder / "ranking" / "progress.json").read_text())
    alone = train_ranking(one_process, prepared, tmp_path)[1]
    assert together["loss"][-1] < together["loss"][0]
    fallen = alone.loss[0] - alone.loss[-1]
    assert together["loss"][-1] == pytest.approx(alone.loss[-1], abs=0.5 * fallen)
    assert min(together["validation"]) == pytest.approx(min(alone.validation), rel=0.05)


def test_what_the_servers_held_is_exported_with_all_signatures(
    told: Told, clustered: Settings, prepared: Prepared, tmp_path: Path
) -> None:
    trained = training.train(clustered, prepared, told.run_folder)
    export(clustered, prepared, trained, {"models": {}}, tmp_path / "version")
    served = tf.saved_model.load(str(tmp_path / "version")).signatures
    assert {"serving_default", "retrieve", "rank", "recommend", "similar_movies"} <= set(served)
    rows = ranking_rows(clustered, prepared, "validation")
    predicted = trained.ranking.predictions({name: tf.constant(v) for name, v in rows.arrays.items()})
    error = np.sqrt(np.mean((predicted.numpy() - rows.target) ** 2))
    assert error == pytest.approx(min(trained.ranking_progress.validation), rel=1e-4)
