"""Deployment of exported versions with the real model server, typed as a user does in an empty folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from recommender.client import ModelClient
from recommender.smoke import SMOKE_FILE, read_smoke

pytestmark = pytest.mark.slow
SETTINGS_FILE = Path(__file__).parents[2] / "workflow-deploy-model.yaml"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(workplace: Path, port: int) -> Iterator[Run]:
    """`run("stop")`: a command of its own process."""
    shutil.copy(SETTINGS_FILE, workplace)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "recommender", *words]
        return subprocess.run(command, cwd=workplace, capture_output=True, text=True, timeout=300)

    yield run
    run("stop")


@pytest.fixture
def deploy(run: Run, port: int) -> Run:
    def deploy(*overrides: str) -> subprocess.CompletedProcess[str]:
        return run("run", SETTINGS_FILE.name, f"local.port={port}", *overrides)

    return deploy


@pytest.fixture
def publish(published: Path, workplace: Path) -> Callable[[int], Path]:
    """Publish the same version under a number."""

    def publish(number: int) -> Path:
        return shutil.copytree(
            published / "recommender/1", workplace / "data/models/recommender" / str(number)
        )

    return publish


def test_versions_come_and_go_over_rest(
    publish: Callable[[int], Path], deploy: Run, run: Run, port: int, workplace: Path
) -> None:
    publish(1)
    first = deploy()
    assert (first.returncode, first.stderr) == (0, "")
    client = ModelClient(f"http://127.0.0.1:{port}")
    assert [(one.version, one.state) for one in client.status()] == [(1, "AVAILABLE")]
    asked = next(line for line in first.stdout.splitlines() if line.startswith("ask it: "))
    answer = subprocess.run(["bash", "-c", asked[8:]], capture_output=True, text=True, check=True)
    smoke = read_smoke(workplace / "data/models/recommender/1")
    (prediction,) = json.loads(answer.stdout)["predictions"]
    assert prediction["rating"] == pytest.approx(smoke.predictions[0]["rating"], abs=1e-4)

    pid = json.loads(run("deployments", "--json").stdout)[0]["pid"]
    publish(2)
    assert deploy("deployment.smoke=false").returncode == 0
    assert available(client) == [2]
    assert run("rollback").returncode == 0
    assert available(client) == [1]
    assert json.loads(run("deployments", "--json").stdout)[0]["pid"] == pid

    # A version whose predictions are not those of its export is refused before it is served.
    wrong = publish(3) / SMOKE_FILE
    content = json.loads(wrong.read_text(encoding="utf-8"))
    content["predictions"][0]["rating"] += 0.5
    wrong.write_text(json.dumps(content), encoding="utf-8")
    refused = deploy()
    assert refused.returncode == 1
    assert "differ from those at export by 0.5" in refused.stderr
    assert available(client) == [1]

    # One that the server cannot load gives way to the one before.
    (publish(4) / "saved_model.pb").write_bytes(b"broken")
    broken = deploy("deployment.smoke=false", "deployment.wait_seconds=30")
    assert broken.returncode == 1
    assert "version 4 is not deployed: version 4 cannot be loaded: " in broken.stderr
    assert "went back to version 1, which serves at " in broken.stderr
    assert available(client) == [1]
    assert json.loads(run("deployments", "--json").stdout)[0]["pid"] == pid

    stopped = run("stop")
    assert (stopped.returncode, stopped.stdout.startswith("recommender is stopped; logs: ")) == (0, True)
    assert not psutil.pid_exists(pid)


def test_every_signature_is_asked_by_a_command(
    publish: Callable[[int], Path], deploy: Run, run: Run, port: int, prepared
) -> None:
    publish(1)
    assert deploy("deployment.smoke=false").returncode == 0
    user, title = str(prepared.users["user_id"].iloc[3]), str(prepared.movies["title"].iloc[5])
    movie = str(prepared.movies["movie_id"].iloc[5])

    def answer(*words: str) -> list[dict[str, object]]:
        return json.loads(run("query", *words, "--json").stdout)

    recommended = answer("recommend", "--user", user, "-n", "4")
    assert len({one["movie_id"] for one in recommended}) == 4
    others = answer("recommend", "--user", user, "-n", "4", "--exclude", str(recommended[0]["movie_id"]))
    assert [one["movie_id"] for one in others][:3] == [one["movie_id"] for one in recommended][1:]
    assert len(answer("retrieve", "--user", user, "-n", "3")) == 3
    assert answer("similar", "--movie", title, "-n", "2") == answer("similar", "--movie", movie, "-n", "2")
    by_title = run("query", "rating", "--user", user, "--title", title, "--timestamp", "900000000")
    by_id = run("query", "rating", "--user", user, "--movie", movie, "--timestamp", "900000000")
    assert by_title.stdout == by_id.stdout
    assert by_title.stdout.startswith("rating ")
    refused = run("query", "predict", "--signature", "recommend", '{"inputs": {"user_id": ["1"]}}')
    assert refused.returncode == 1
    assert " answers 400: " in refused.stderr
    absent = run("query", "status", "--model", "nix")
    assert absent.returncode == 1
    assert " answers 404: Could not find any versions of model nix" in absent.stderr
    check_features(ModelClient(f"http://127.0.0.1:{port}"))


def check_features(client: ModelClient) -> None:
    """A user who is not in the data is described by features, as a feature store holds them."""
    from recommender.export.stored_user import stored_user_specs

    nothing = {
        name: [[]] if spec.shape.rank == 2 else ["" if spec.dtype == "string" else 0.0]
        for name, spec in stored_user_specs().items()
    }
    movies = client.retrieve_by_features(nothing, 3)
    assert len(movies) == 3
    ranking = client.rank(nothing, 900_000_000, [movie.movie_id for movie in movies])
    assert ranking.scores == sorted(ranking.scores, reverse=True)  # retrieval's order: nothing is known
    assert all(0 < rating < 6 for rating in ranking.predictions)


def available(client: ModelClient) -> list[int]:
    return [one.version for one in client.status() if one.state == "AVAILABLE"]
