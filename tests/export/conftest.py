"""A version exported once a session, and a process with plain TensorFlow that answers from it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommender.config import Settings
from recommender.data.catalogue import Catalogue
from recommender.data.engines import DuckDBEngine
from recommender.data.features import feature_sql
from recommender.data.prepared import Prepared


class Server:
    """Asks the process of `plain_tensorflow.py`."""

    def __init__(self, folder: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
        script = Path(__file__).with_name("plain_tensorflow.py")
        self.process = subprocess.Popen(
            [sys.executable, "-I", str(script), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        self.start: dict[str, Any] = pickle.load(self.process.stdout)

    def __call__(self, signature: str, **inputs: Any) -> dict[str, np.ndarray]:
        pickle.dump((signature, inputs), self.process.stdin)
        self.process.stdin.flush()
        return pickle.load(self.process.stdout)

    def movies(self, signature: str, **inputs: Any) -> list[list[str]]:
        """The ids of each row of an answer, without the empty places at its end."""
        rows = self(signature, **inputs)["movie_ids"]
        return [[movie_id.decode() for movie_id in row if movie_id] for row in rows]


@pytest.fixture(scope="session")
def metrics() -> dict[str, Any]:
    """Metrics as an evaluation writes them."""
    models = {
        "deep_ranking": {"validation": {"rmse": 0.9}, "test": {"rows": 1200, "rmse": 0.95, "auc": None}},
        "item_mean": {"validation": {"rmse": 1.0}, "test": {"rows": 1200, "rmse": 1.05, "auc": 0.6}},
        "popularity": {"test": {"users": 31, "ndcg@10": 0.125, "by_history": {"0": {"ndcg@10": 0.1}}}},
    }
    return {"dataset": "synthetic", "split": "time_range", "seed": 42, "models": models}


@pytest.fixture(scope="session")
def ordered(trained):
    """Both models with a final order to which both of them count, whatever little data would have fitted."""
    from recommender.models.final_order import FinalOrder

    return replace(trained, order=replace(trained.order, order=FinalOrder(0.7, 1.3)))


@pytest.fixture(scope="session")
def version(settings: Settings, prepared: Prepared, ordered, metrics, tmp_path_factory) -> Path:
    """The folder of an exported version."""
    from recommender.export import export

    folder = tmp_path_factory.mktemp("versions") / "1"
    export(settings, prepared, ordered, metrics, folder)
    return folder


@pytest.fixture(scope="session")
def ask(version: Path) -> Iterator[Server]:
    """`ask(signature, **inputs)` in a process of its own."""
    server = Server(version)
    yield server
    server.process.stdin.close()
    server.process.wait(timeout=60)


@pytest.fixture(scope="session")
def offline_rows(settings: Settings, prepared: Prepared, tmp_path_factory):
    """`offline_rows(users, movies, timestamp)`: what the feature SQL says of pairs of codes at seconds."""
    schema, interactions = prepared.schema, prepared.interactions
    catalogue = Catalogue(
        prepared.users, prepared.movies, schema.genres, schema.known_users, schema.known_movies
    )
    sql = feature_sql(settings.features, len(schema.genres), schema.rating_scale)

    def rows(users: Any, movies: Any, timestamp: Any) -> pa.Table:
        n = len(users)
        columns = {
            "row": np.concatenate([np.arange(len(interactions)), -1 - np.arange(n)]),
            "user_id": np.concatenate([interactions.user, np.asarray(users, np.int32)]),
            "movie_id": np.concatenate([interactions.movie, np.asarray(movies, np.int32)]),
            "timestamp": np.concatenate([interactions.timestamp, np.broadcast_to(timestamp, n)]),
            "rating": np.concatenate([interactions.rating, np.zeros(n, np.float32)]),
            "counts": np.arange(len(interactions) + n) < len(interactions),
        }
        file = tmp_path_factory.mktemp("offline") / "rows.parquet"
        asked = f"SELECT * FROM ({sql}) WHERE row < 0 ORDER BY row DESC"
        DuckDBEngine().run(asked, {"interactions": pa.table(columns), **catalogue.for_sql()}, file)
        return pq.read_table(file)

    return rows
