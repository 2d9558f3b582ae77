"""Where the feature SQL runs. One text, several engines: DuckDB, on one machine, or Spark, on many."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa

from recommender.config import DataSettings
from recommender.data.shards import write_shards
from recommender.errors import ConfigError, RecommenderError


class Engine(Protocol):
    """Runs one SQL text (DuckDB dialect) over named tables and writes the rows to Parquet."""

    def run(self, sql: str, tables: Mapping[str, pa.Table], destination: Path) -> None:
        """Run `sql` over `tables` and write its rows to `destination`, a file or a folder of files."""
        ...

    def run_shards(self, sql: str, tables: Mapping[str, pa.Table], folder: Path, rows: int) -> None:
        """Run `sql` and write its rows to the new `folder`, in the order of the column `row`.

        Shard n, `part-0000n.parquet`, holds the numbers from n * `rows` to below (n + 1) * `rows`; negative
        numbers go to `asking.parquet`.
        """
        ...


class DuckDBEngine:
    """The embedded engine: all cores, no server.

    With a `memory_limit`, as in "4GB", what does not fit goes to a temporary folder beside the destination.
    """

    def __init__(self, memory_limit: str | None = None) -> None:
        self._memory_limit = memory_limit

    def run(self, sql: str, tables: Mapping[str, pa.Table], destination: Path) -> None:
        """Run `sql` over `tables` and write its rows to the file `destination`."""
        path = str(destination).replace("'", "''")
        copy = f"COPY ({sql}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
        with self._connection(tables, destination.parent) as connection:
            connection.execute(copy)

    def run_shards(self, sql: str, tables: Mapping[str, pa.Table], folder: Path, rows: int) -> None:
        """Run `sql` over `tables` and write its rows to shards in `folder`; see `Engine`."""
        folder.mkdir()
        with self._connection(tables, folder.parent) as connection:
            ordered = connection.sql(f"SELECT * FROM ({sql}) AS f ORDER BY f.row")
            write_shards(ordered.to_arrow_reader(rows), folder, rows)

    @contextmanager
    def _connection(self, tables: Mapping[str, pa.Table], place: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that knows `tables` and spills to a folder within `place`, removed at the end."""
        limited = {} if self._memory_limit is None else {"memory_limit": self._memory_limit}
        with (
            tempfile.TemporaryDirectory(prefix=".spill-", dir=place) as spill,
            duckdb.connect(config={"temp_directory": spill, **limited}) as connection,
        ):
            for name, table in tables.items():
                connection.register(name, table)
            try:
                yield connection
            except duckdb.OutOfMemoryException:
                limit = self._memory_limit or "all memory of this machine"
                raise RecommenderError(
                    f"data.memory_limit: too little for this data, received {limit}"
                ) from None


def make_engine(settings: DataSettings) -> Engine:
    """The engine of `data.engine`; raises `ConfigError` where it is not installed."""
    if settings.engine == "duckdb":
        return DuckDBEngine(settings.memory_limit)
    if not (find_spec("pyspark") and find_spec("sqlglot")):
        raise ConfigError("data.engine: spark is not installed: run `make spark`, received 'spark'")
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        raise ConfigError(
            "data.engine: spark needs Java 17 or newer, found neither java on PATH nor JAVA_HOME"
        )
    from recommender.data.spark import SparkEngine

    return SparkEngine(settings.spark_master, settings.memory_limit)
