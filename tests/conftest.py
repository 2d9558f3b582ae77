"""Fixtures that many tests share: small synthetic data, prepared, trained on and exported once for all.

Tests run in several processes. What takes seconds to make lies in a folder that all of them see, and is made
by the first that asks for it; what is there is never changed. In `home` tests prepare other data, too.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from recommender.config import Settings, load_settings
from recommender.folder_lock import alone

TINY = (
    "data.dataset=synthetic",
    "data.synthetic={users: 120, movies: 80, ratings: 3000}",
    "features.history_length=10",
    "features.liked_length=5",
    "training.epochs=2",
    "training.batch_size=256",
    "retrieval.embedding_size=8",
    "retrieval.training={epochs: 2, batch_size: 256}",
    "retrieval.negatives=40",
    "retrieval.candidates=20",
    "retrieval.refit=false",
    "ranking.embedding_size=4",
    "ranking.head_options={factors: 3, iterations: 5, folds: 3, hidden: [16, 8]}",
)


@pytest.fixture(scope="session")
def movielens_home() -> Path:
    """The folder with real data; tests that ask for it are skipped where there is none."""
    home = os.environ.get("MOVIELENS_HOME")
    if not home:
        pytest.skip("MOVIELENS_HOME is not set: no real MovieLens data on this machine")
    return Path(home)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the whole test run, of all its processes."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def home(shared: Path) -> Path:
    """The data folder of the fixtures."""
    home = shared / "data"
    home.mkdir(exist_ok=True)
    return home


@pytest.fixture(scope="session")
def settings(home: Path) -> Settings:
    """Settings of a recommender that trains in seconds on synthetic data."""
    return load_settings(overrides=[*TINY, f"data.home={home}", f"export.models={home}/models"], environ={})


@pytest.fixture(scope="session")
def prepared(settings: Settings):
    """Synthetic data: 120 users, 80 movies, 3,000 ratings, split by time."""
    from recommender.data.prepare import prepare

    with alone(settings.data.home, "prepare"):
        return prepare(settings)


@pytest.fixture(scope="session")
def run_folder(shared: Path) -> Path:
    """Where `trained` leaves its checkpoints."""
    folder = shared / "run"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def trained(settings: Settings, prepared, run_folder: Path):
    """Both models, fitted for two epochs."""
    from recommender.workflows import stages

    return stages.train(settings, prepared, run_folder)


@pytest.fixture(scope="session")
def published(settings: Settings, prepared, trained, shared: Path) -> Path:
    """A folder of models with version 1 of `recommender`, to be read or copied."""
    from recommender.export import export

    models = shared / "models"
    version = models / "recommender" / "1"
    metrics = {"models": {"deep_ranking": {"validation": {"rmse": 1.0}}}}
    with alone(shared, "publish"):
        if not version.exists():
            export(settings, prepared, trained, metrics, version)
    return models
