"""The application on a real SQLite store and a model with known answers, and a client of its API."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from stub_model import StubModel

from recommender.app.api import create_api
from recommender.app.application import Application
from recommender.app.events import EventLog
from recommender.app.features import FeatureStore, open_backend, push
from recommender.app.features.push import visible_ratings
from recommender.app.pipeline.pipeline import Pipeline
from recommender.app.settings import AppSettings, load_app_settings
from recommender.data.prepared import Prepared
from recommender.similarity.methods import Known, similar_movies

SCRIPT = "<script>alert(1)</script> (1999)"


@pytest.fixture(scope="session")
def titled(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The session's data with titles that people look for, and one that tries to be more than a title."""
    folder = tmp_path_factory.mktemp("titled") / "data"
    shutil.copytree(prepared.folder, folder)
    movies = pd.read_parquet(folder / "movies.parquet")
    movies.loc[:2, "title"] = ["Matrix, The (1999)", SCRIPT, "Amélie (2001)"]
    movies.to_parquet(folder / "movies.parquet", index=False)
    return Prepared(folder)


@pytest.fixture(scope="session")
def pushed(titled: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the features of `titled`; tests work on copies."""
    path = tmp_path_factory.mktemp("store") / "features.sqlite"
    known = Known.of(titled, visible_ratings(titled))
    backend = open_backend(f"sqlite:{path}")
    push(titled, backend, similar={"genre": similar_movies("genre", known, 1)})
    backend.close()
    return path


@pytest.fixture
def app_settings(pushed: Path, tmp_path: Path) -> AppSettings:
    shutil.copy(pushed, tmp_path / "features.sqlite")
    here = [f"store=sqlite:{tmp_path}/features.sqlite", f"events={tmp_path}/events"]
    # Nothing of what is tested here depends on how quick a busy machine is.
    return load_app_settings(None, [*here, "budget_ms=60000"], {})


@pytest.fixture
def make_application(titled: Prepared) -> Iterator[Callable[[AppSettings], Application]]:
    made: list[Application] = []

    def make(settings: AppSettings) -> Application:
        store = FeatureStore(open_backend(settings.store))
        model = StubModel(titled.movies["movie_id"].tolist())
        pipeline = Pipeline(settings, store, model)
        made.append(Application(settings, store, model, pipeline, EventLog(settings.events)))
        return made[-1]

    yield make
    for application in made:
        application.close()


@pytest.fixture
def application(app_settings: AppSettings, make_application) -> Application:
    return make_application(app_settings)


@pytest.fixture
def client(application: Application) -> Iterator[TestClient]:
    with TestClient(create_api(application), base_url="http://test/api/v1") as client:
        yield client
