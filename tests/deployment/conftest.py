"""A model's versions without a model in them, a server that answers for them, and settings for both."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recommender import deployment
from recommender.client import ModelClient
from recommender.deployment.settings import DeploySettings, resolve
from recommender.deployment.targets import local
from recommender.errors import RecommenderError

STAND_IN = Path(__file__).with_name("stand_in_server.py")
REQUEST = {"instances": [{"user_id": "587", "movie_title": "Devil's Advocate, The (1997)", "timestamp": 9}]}


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MOVIELENS_HOME", raising=False)
    return tmp_path


@pytest.fixture
def publish(workplace: Path) -> Callable[..., Path]:
    """`publish(number, answered, expected)`: a version that answers one rating and expects another."""

    def publish(number: int, answered: float | None = 3.5, expected: float = 3.5, rmse: float = 1.0) -> Path:
        folder = workplace / "data/models/recommender" / str(number)
        folder.mkdir(parents=True)
        metrics = {"models": {"deep_ranking": {"validation": {"rmse": rmse}}}}
        (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
        smoke = {"request": REQUEST, "predictions": [{"rating": expected}]}
        (folder / "smoke.json").write_text(json.dumps(smoke), encoding="utf-8")
        if answered is not None:
            answer = [{"rating": answered, "user_embedding": [0.5], "movie_embedding": [1.0]}]
            (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
        return folder

    return publish


@pytest.fixture
def port() -> int:
    """A TCP port that nobody listens at."""
    return free_port()


@pytest.fixture
def other_port(port: int) -> int:
    """Another one."""
    return next(found for found in iter(free_port, 0) if found != port)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def stand_in(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The stand-in serves in place of `recommender serve`, and models are not loaded before; stops all."""
    monkeypatch.setattr(local, "SERVE", (sys.executable, str(STAND_IN)))
    monkeypatch.setattr("recommender.deployment.workflow.check_version", lambda *_: 0.0)
    monkeypatch.setattr("recommender.deployment.bring_up.GRACE", 0.3)
    yield
    stop_all(workplace / "data/deployments")


@pytest.fixture
def deploy_settings(port: int) -> Callable[..., DeploySettings]:
    """`deploy_settings("model.version=1", ...)`: those of a deployment at a free port."""

    def deploy_settings(*overrides: str) -> DeploySettings:
        return resolve({}, [f"local.port={port}", "deployment.wait_seconds=10", *overrides])

    return deploy_settings


@pytest.fixture
def said() -> list[str]:
    """Lines that were said to the user, by `said.append`."""
    return []


def stop_all(home: Path) -> None:
    for one in deployment.overview(home):
        try:
            deployment.stop(home, one.name, lambda line: None)
        except RecommenderError:
            assert one.state in ("stopped", "failed")


@pytest.fixture
def rating() -> Callable[[DeploySettings], float]:
    """The rating that users are answered now."""

    def rating(settings: DeploySettings) -> float:
        client = ModelClient(f"http://127.0.0.1:{settings.local.port}")
        return client.ask(REQUEST)["predictions"][0]["rating"]

    return rating
