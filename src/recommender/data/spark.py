"""The feature SQL on Apache Spark, for data that one machine cannot hold: extra `recommender[spark]`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from recommender.data.shards import shard_path
from recommender.data.spark_sql import spark_sql
from recommender.errors import RecommenderError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class SparkEngine:
    """Runs on any Spark master, such as `local[*]` or `spark://host:7077`; see `Engine`.

    Tables reach Spark, and rows leave it, as Parquet files beside the destination, in a folder that all of
    Spark's executors must see; no row of a result passes through the driver. `memory_limit`, as in "4GB",
    is the driver's. Where Spark cannot be started, both methods raise `RecommenderError`.
    """

    def __init__(self, master: str = "local[*]", memory_limit: str | None = None) -> None:
        self._master = master
        self._memory_limit = memory_limit

    def run(self, sql: str, tables: Mapping[str, pa.Table], destination: Path) -> None:
        """Run `sql` over `tables`; `destination` becomes a folder of files in the order of the rows."""
        with self._query(sql, tables, destination.parent) as rows:
            rows.write.parquet(_url(destination), compression="zstd")

    def run_shards(self, sql: str, tables: Mapping[str, pa.Table], folder: Path, rows: int) -> None:
        """Run `sql` over `tables` and write its rows to shards in `folder`; see `Engine`."""
        from pyspark.sql import functions

        with self._query(sql, tables, folder.parent) as found:
            number = functions.greatest(functions.floor(found["row"] / rows), functions.lit(-1))
            numbered = found.withColumn("shard", number).repartition("shard")
            ordered = numbered.sortWithinPartitions("shard", "row").write.partitionBy("shard")
            ordered.parquet(_url(folder), compression="zstd")
        for part in list(folder.glob("shard=*")):
            (file,) = part.glob("*.parquet")  # all rows of a shard are one task's
            file.rename(shard_path(folder, int(part.name.partition("=")[2])))
            shutil.rmtree(part)

    @contextmanager
    def _query(self, sql: str, tables: Mapping[str, pa.Table], folder: Path) -> Iterator[DataFrame]:
        """The rows of `sql`, while `tables` are files within `folder`."""
        session = _session(self._master, self._memory_limit)
        with tempfile.TemporaryDirectory(prefix=".spark-", dir=folder) as scratch:
            for name, table in tables.items():
                file = Path(scratch) / f"{name}.parquet"
                pq.write_table(table, file)
                session.read.parquet(_url(file)).createOrReplaceTempView(name)
            yield session.sql(spark_sql(sql))


def _url(path: Path) -> str:
    return path.absolute().as_uri()


def _session(master: str, memory_limit: str | None) -> SparkSession:
    """A session for this process, which Spark keeps and gives to whoever asks again.

    Raises `RecommenderError` where it cannot be started, or was started at another master.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    builder = (
        SparkSession.builder.appName("recommender")
        .config("spark.master", master)
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
    )
    if master.startswith("local"):
        builder = builder.config("spark.driver.host", "localhost")
    if memory_limit is not None:
        builder = builder.config("spark.driver.memory", memory_limit.removesuffix("B").lower())
    try:
        session = builder.getOrCreate()
    except (PySparkException, Py4JError, OSError) as error:
        java = getattr(error, "java_exception", None)
        reason = str(error if java is None else java.toString()).partition("\n")[0]
        raise RecommenderError(
            f"data.engine: Spark cannot be started at {master!r} (it needs Java 17 or newer): {reason}"
        ) from None
    session.sparkContext.setLogLevel("ERROR")
    if session.sparkContext.master != master:
        raise RecommenderError(
            f"data.spark_master: this process has started Spark at {session.sparkContext.master!r} already, "
            f"received {master!r}"
        )
    return session
