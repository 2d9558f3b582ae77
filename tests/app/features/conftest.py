"""Stores to test on: a SQLite file, and a real Redis that a test may kill and start again."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommender.app.features.errors import StoreUnavailableError
from recommender.app.features.redis_backend import RedisBackend
from recommender.config import Settings
from recommender.data.catalogue import Catalogue
from recommender.data.encode import Arrays, encode_features
from recommender.data.engines import DuckDBEngine
from recommender.data.features import FEATURES, feature_sql
from recommender.data.prepared import Prepared

USER_FEATURES = [feature for feature in FEATURES if feature.source in ("user", "user_history")]
MOVIE_FEATURES = [feature for feature in FEATURES if feature.source in ("movie", "movie_history")]


class RedisServer:
    """A redis-server on a free port that keeps everything it has answered in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        options = "--save '' --appendonly yes --appendfsync always --bind 127.0.0.1".replace("''", "")
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--dir", str(self.folder), *options.split(" ")],
            stdout=subprocess.DEVNULL,
        )
        while not self._answers():
            assert self.process.poll() is None, "redis-server has ended"
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def _answers(self) -> bool:
        backend = RedisBackend(self.address)
        try:
            backend.events()
        except StoreUnavailableError:
            return False
        finally:
            backend.close()
        return True


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed on this machine")
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture
def redis_address(redis_server: RedisServer) -> str:
    """An empty Redis."""
    backend = RedisBackend(redis_server.address)
    backend.redis.client.flushall()
    backend.close()
    return redis_server.address


@pytest.fixture(params=["sqlite", "redis"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of either kind."""
    if request.param == "redis":
        return request.getfixturevalue("redis_address")
    return f"sqlite:{tmp_path}/features.sqlite"


def offline_rows(prepared: Prepared, rows: np.ndarray) -> list[tuple[Arrays, Arrays]]:
    """The encoded features of ratings as the prepared data has them: of the user and of the movie."""
    parts = [prepared.read_shard(shard, FEATURES) for shard in prepared.feature_shards()]
    arrays = {name: np.concatenate([part[name] for part in parts])[rows] for name in parts[0]}
    sides = [
        {column: arrays[column] for feature in features for column in feature.columns}
        for features in (USER_FEATURES, MOVIE_FEATURES)
    ]
    return [
        tuple({name: column[place : place + 1] for name, column in side.items()} for side in sides)
        for place in range(len(rows))
    ]


@pytest.fixture(scope="session")
def rows_offline() -> Callable[[Prepared, np.ndarray], list[tuple[Arrays, Arrays]]]:
    return offline_rows


# user code, movie code, second, rating: what `Offline` counts beside the prepared ratings
Row = tuple[int, int, int, float]


class Offline:
    """What the feature SQL says, encoded, of pairs of codes at a second, after more ratings or fewer.

    Codes from `num_users` on are users that the data lacks.
    """

    def __init__(self, settings: Settings, prepared: Prepared, folder: Path) -> None:
        schema = prepared.schema
        self.prepared, self._file = prepared, folder / "rows.parquet"
        self._sql = feature_sql(settings.features, len(schema.genres), schema.rating_scale)
        self._tables = Catalogue(
            prepared.users, prepared.movies, schema.genres, schema.known_users, schema.known_movies
        ).for_sql()

    def __call__(
        self, user: int, movies: list[int], second: int, more: list[Row] = (), until: int | None = None
    ) -> tuple[Arrays, Arrays]:
        """The user's columns `(1, ...)` and the movies' `(n, ...)`, without ratings from `until` on."""
        ratings = self._ratings(more, until)
        asked = pd.DataFrame({"user_id": user, "movie_id": movies, "timestamp": second, "rating": 0.0})
        rows = pd.concat([ratings.assign(counts=True), asked.assign(counts=False)], ignore_index=True)
        rows = rows.astype({"rating": np.float32, "user_id": np.int32, "movie_id": np.int32})
        rows["row"] = np.arange(len(rows))
        interactions = pa.Table.from_pandas(rows, preserve_index=False)
        query = f"SELECT * FROM ({self._sql}) WHERE row >= {len(ratings)} ORDER BY row"
        DuckDBEngine().run(query, {"interactions": interactions, **self._tables}, self._file)
        table = pq.read_table(self._file)
        of_user = encode_features(table.slice(0, 1), USER_FEATURES, self.prepared.schema)
        return of_user, encode_features(table, MOVIE_FEATURES, self.prepared.schema)

    def _ratings(self, more: list[Row], until: int | None) -> pd.DataFrame:
        known = self.prepared.interactions
        known = known if until is None else known.where(known.timestamp < until)
        columns = {"user_id": known.user, "movie_id": known.movie, "timestamp": known.timestamp}
        frame = pd.DataFrame({**columns, "rating": known.rating})
        return pd.concat([frame, pd.DataFrame(more, columns=list(frame))]) if more else frame


@pytest.fixture
def offline(settings: Settings, prepared: Prepared, tmp_path: Path) -> Offline:
    return Offline(settings, prepared, tmp_path)


@pytest.fixture(scope="session")
def agree() -> Callable[..., None]:
    """Fail where two sets of columns differ by more than 1e-6 (relative above 1), or in their names."""

    def check(found: Arrays, expected: Arrays, about: str = "", without: tuple[str, ...] = ()) -> None:
        assert set(found) == set(expected)
        for name in set(expected) - set(without):
            assert found[name].dtype == expected[name].dtype, name
            np.testing.assert_allclose(
                found[name], expected[name], rtol=1e-6, atol=1e-6, err_msg=f"{name} {about}"
            )

    return check
