"""Fixtures that many tests share: small synthetic data, prepared and trained on once a session."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from recommender.config import Settings, load_settings

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
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the session's fixtures."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def settings(home: Path) -> Settings:
    """Settings of a recommender that trains in seconds on synthetic data."""
    return load_settings(overrides=[*TINY, f"data.home={home}", f"export.models={home}/models"], environ={})


@pytest.fixture(scope="session")
def prepared(settings: Settings):
    """Synthetic data: 120 users, 80 movies, 3,000 ratings, split by time."""
    from recommender.data.prepare import prepare

    return prepare(settings)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `trained` leaves its checkpoints."""
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="session")
def trained(settings: Settings, prepared, run_folder: Path):
    """Both models, fitted for two epochs."""
    from recommender.training import train

    return train(settings, prepared, run_folder)
