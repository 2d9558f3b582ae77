"""A filled feature store, and a model that answers as a test wants it to."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from recommender.app.features import CandidateFeatures, FeatureStore, open_backend, push
from recommender.app.features.store_catalogue import StoreCatalogue
from recommender.app.models import ModelDescription, ModelUnavailableError, Ranked, Retrieved
from recommender.data.encode import Arrays
from recommender.data.prepared import Prepared
from recommender.similarity.neighbours import Neighbours, nearest
from serving.serve_process import Server, serving

MINUTE = 60
PATIENCE = 120  # seconds


@dataclass
class ScriptedModel:
    """Retrieves movies in the order of `retrieved`, ranks those of `favourites` first, predicts 1, 2, 3...

    `down` are the methods that raise; those of `slow` answer once `go_on` is set; `asked` counts calls;
    `handed_on` is what the last ranking was told of retrieval.
    """

    retrieved: list[str]
    favourites: list[str] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    slow: set[str] = field(default_factory=set)
    go_on: threading.Event = field(default_factory=threading.Event)
    asked: dict[str, int] = field(default_factory=dict)
    handed_on: Retrieved | None = None

    def retrieve(self, user: Arrays, k: int) -> Retrieved:
        self._answer("retrieve")
        return Retrieved((movie_id, -float(rank)) for rank, movie_id in enumerate(self.retrieved[:k]))

    def rank(
        self,
        features: CandidateFeatures,
        movie_ids: Sequence[str],
        timestamp: int,
        retrieved: Retrieved | None = None,
    ) -> Ranked:
        self._answer("rank")
        self.handed_on = retrieved
        assert len(features.movies["movie_count"]) == len(movie_ids)
        scores = [10.0 * (movie_id in self.favourites) for movie_id in movie_ids]
        return Ranked(np.array(scores), np.arange(1.0, len(movie_ids) + 1))

    def similar(self, movie_id: str, k: int) -> list[tuple[str, float]]:
        self._answer("similar")
        return []

    def describe(self) -> ModelDescription:
        return ModelDescription("scripted", 1, "rating")

    def close(self) -> None:
        pass

    def _answer(self, method: str) -> None:
        self.asked[method] = self.asked.get(method, 0) + 1
        if method in self.slow:
            assert self.go_on.wait(PATIENCE)
        if method in self.down:
            raise ModelUnavailableError(f"{method} is down")


@pytest.fixture(scope="session")
def neighbour_table(prepared: Prepared) -> Neighbours:
    """Movies are similar whose places in the catalogue are close."""
    angle = np.linspace(0, 2, len(prepared.movies), dtype=np.float32)
    return nearest(np.stack([np.cos(angle), np.sin(angle)], axis=1), length=10)


@pytest.fixture(scope="session")
def filled_file(prepared: Prepared, neighbour_table: Neighbours, tmp_path_factory) -> str:
    """The address of a store with all prepared data, not to be written to."""
    address = f"sqlite:{tmp_path_factory.mktemp('store')}/features.sqlite"
    backend = open_backend(address)
    push(prepared, backend, similar={"item2vec": neighbour_table})
    backend.close()
    return address


@pytest.fixture
def filled_store(filled_file: str) -> Iterator[FeatureStore]:
    """A store with all prepared data, not to be written to."""
    store = FeatureStore(open_backend(filled_file))
    yield store
    store.close()


@pytest.fixture
def own_store(prepared: Prepared, neighbour_table: Neighbours, tmp_path: Path) -> Iterator[FeatureStore]:
    """The same, to be written to."""
    store = FeatureStore(open_backend(f"sqlite:{tmp_path}/features.sqlite"))
    push(prepared, store.backend, similar={"item2vec": neighbour_table})
    yield store
    store.close()


@pytest.fixture
def catalogue(filled_store: FeatureStore) -> StoreCatalogue:
    return filled_store.catalogue()


@pytest.fixture(scope="session")
def now(prepared: Prepared) -> int:
    """A minute after the last rating of the data."""
    return int(prepared.interactions.timestamp.max()) + MINUTE


@pytest.fixture(scope="session")
def user_ids(prepared: Prepared) -> list[str]:
    """User ids in the order of their codes."""
    return prepared.users["user_id"].tolist()


@pytest.fixture(scope="session")
def movie_ids(prepared: Prepared) -> list[str]:
    """Movie ids in the order of their codes."""
    return prepared.movies["movie_id"].tolist()


@pytest.fixture
def scripted_model(movie_ids: list[str]) -> Iterator[ScriptedModel]:
    """Retrieves the catalogue from its end."""
    model = ScriptedModel(movie_ids[::-1])
    yield model
    model.go_on.set()


@pytest.fixture(scope="session")
def not_warmed_up(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without warm-up requests: a server has it in seconds, and prepares only what is asked."""
    models = tmp_path_factory.mktemp("models")
    shutil.copytree(published, models, ignore=shutil.ignore_patterns("assets.extra"), dirs_exist_ok=True)
    return models


@pytest.fixture(scope="session")
def model_server(not_warmed_up: Path, tmp_path_factory) -> Iterator[Server]:
    """`recommender serve` with that model."""
    flags = ("--model_name=recommender", f"--model_base_path={not_warmed_up}/recommender")
    with serving(tmp_path_factory.mktemp("server"), *flags) as server:
        yield server
