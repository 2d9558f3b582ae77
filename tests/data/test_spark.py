"""The same feature SQL on Spark: the words it is given, and the rows it writes, beside DuckDB's."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_features import random_ratings, run_sql, slow_features

from recommender.config import Settings, check, load_settings
from recommender.data import feature_tables
from recommender.data.engines import DuckDBEngine, Engine, make_engine
from recommender.data.feature_tables import write_feature_tables
from recommender.data.prepare import encode, prepare
from recommender.data.tables import load_tables
from recommender.errors import ConfigError, RecommenderError

JAVA = bool(shutil.which("java") or os.environ.get("JAVA_HOME"))
INSTALLED = bool(find_spec("pyspark") and find_spec("sqlglot"))
needs_spark = pytest.mark.skipif(not (JAVA and INSTALLED), reason="needs Java and `make spark`")
MASTER = "local[2]"
WRITTEN = ("features", "users-*.parquet", "movies-*.parquet", "timeline-*.parquet")


@pytest.fixture(scope="module")
def engine() -> Engine:
    from recommender.data.spark import SparkEngine

    return SparkEngine(MASTER)


def assert_equal_tables(ours: pa.Table, theirs: pa.Table) -> None:
    """Every column, row by row: numbers to 1e-6, what is missing missing, everything else the same."""
    assert ours.column_names == theirs.column_names
    for name in theirs.column_names:
        left, right = ours[name].combine_chunks(), theirs[name].combine_chunks()
        if pa.types.is_floating(right.type):
            np.testing.assert_allclose(
                left.to_numpy(False), right.to_numpy(False), rtol=0, atol=1e-6, err_msg=name
            )
        else:
            assert left.to_pylist() == right.to_pylist(), name


def assert_equal_folders(ours: Path, theirs: Path) -> None:
    names = sorted(path.name for pattern in WRITTEN for path in theirs.glob(pattern))
    assert len(names) >= 8
    for name in names:
        assert_equal_tables(pq.read_table(ours / name), pq.read_table(theirs / name))


@needs_spark
def test_slices_say_in_spark_how_long_they_are() -> None:
    from recommender.data.spark_sql import spark_sql

    text = spark_sql("SELECT ARRAY_SLICE(a, GREATEST(n - 3, 0) + 1, n), LIST_SORT(b)[2:7] FROM t")
    assert "SLICE(a, GREATEST(n - 3, 0) + 1, CAST(((n) - (GREATEST(n - 3, 0) + 1)) + 1 AS INT))" in text
    assert "SLICE(ARRAY_SORT(b), 2, CAST(((7) - (2)) + 1 AS INT))" in text


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 9])
def test_duckdbs_slices_have_that_length(count: int) -> None:
    first = max(count - 3, 0) + 1
    (answer,) = duckdb.execute(f"SELECT ARRAY_SLICE(RANGE({count}), {first}, {count})").fetchone() or ()
    assert len(answer) == count - first + 1 == min(count, 3)


@needs_spark
@pytest.mark.slow
def test_spark_equals_duckdb_and_the_slow_reference_where_ratings_share_seconds(
    engine, tmp_path: Path
) -> None:
    ratings = random_ratings(4)
    assert ratings.duplicated(["user_id", "timestamp"]).any()
    ratings.loc[::5, "counts"] = False
    (tmp_path / "spark").mkdir()
    spark, duck = run_sql(ratings, tmp_path / "spark", engine), run_sql(ratings, tmp_path)
    expected = pd.DataFrame(slow_features(ratings))
    for column in duck.columns:
        for row in range(len(ratings)):
            for found in (duck, expected) if column in expected.columns else (duck,):
                assert_same(spark[column][row], found[column][row], f"{column} of row {row}")


def assert_same(ours: object, theirs: object, where: str) -> None:
    if isinstance(theirs, (float, list, np.ndarray)):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6, err_msg=where)
    else:
        assert ours == theirs or (pd.isna(ours) and pd.isna(theirs)), where


@needs_spark
@pytest.mark.slow
@pytest.mark.parametrize(("mode", "refit"), [("point_in_time", False), ("frozen", True)])
def test_spark_and_duckdb_prepare_the_same(mode: str, refit: bool, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(feature_tables, "SHARD_ROWS", 250)
    sections = {"features": {"mode": mode, "top_genres": 2}, "ranking": {"refit": refit}}
    sizes = {"users": 40, "movies": 30, "ratings": 600}
    data = {"dataset": "synthetic", "home": str(tmp_path), "synthetic": sizes, "spark_master": MASTER}
    spark, duck = (
        prepare(check({"data": {**data, "engine": engine}, **sections})) for engine in ("spark", "duckdb")
    )
    assert spark.folder != duck.folder
    assert [shard.name for shard in spark.feature_shards()] == [f"part-0000{n}.parquet" for n in range(3)]
    assert_equal_folders(spark.folder, duck.folder)


def write_part(settings: Settings, num_users: int | None, engine: Engine, folder: Path) -> Path:
    """The feature tables of the first users of a data set, or of all."""
    folder.mkdir()
    tables = load_tables(settings)
    interactions, catalogue = encode(settings, tables)
    part = interactions if num_users is None else interactions.where(interactions.user < num_users)
    write_feature_tables(settings, tables.rating_scale, part, catalogue, engine, folder)
    return folder


@needs_spark
@pytest.mark.movielens
@pytest.mark.parametrize(
    "num_users",
    [
        pytest.param(100, marks=pytest.mark.slow),
        pytest.param(None, marks=[pytest.mark.slow, pytest.mark.large]),
    ],
    ids=["100-users", "whole"],
)
def test_spark_and_duckdb_agree_on_ml_100k(num_users, movielens_home, engine, tmp_path: Path) -> None:
    settings = load_settings(overrides=["data.dataset=ml-100k", f"data.home={tmp_path}"], environ={})
    spark = write_part(settings, num_users, engine, tmp_path / "spark")
    duck = write_part(settings, num_users, DuckDBEngine(), tmp_path / "duck")
    assert_equal_folders(spark, duck)


@needs_spark
@pytest.mark.slow
def test_a_process_that_runs_spark_elsewhere_says_so(engine, tmp_path: Path) -> None:
    from recommender.data.spark import SparkEngine

    engine.run("SELECT 1 AS one", {}, tmp_path / "one")
    assert pq.read_table(tmp_path / "one")["one"].to_pylist() == [1]
    with pytest.raises(
        RecommenderError, match=r"data\.spark_master: .* Spark at 'local\[2\]' already.*'local\[3\]'"
    ):
        SparkEngine("local[3]").run("SELECT 1 AS one", {}, tmp_path / "other")


@pytest.mark.parametrize(
    "master", ["local", "local[4]", "local[*]", "spark://host:7077", "k8s://https://host", "yarn"]
)
def test_a_spark_master_is_one_that_spark_knows(master: str) -> None:
    assert check({"data": {"spark_master": master}}).data.spark_master == master


@pytest.mark.parametrize("master", ["nowhere", "local[0]", "local[]", "http://host", "spark://", ""])
def test_another_spark_master_is_one_line(master: str) -> None:
    with pytest.raises(
        ConfigError, match=r"^data\.spark_master: must be local\[\*\], .* or yarn, received '.*'$"
    ):
        check({"data": {"spark_master": master}})


def test_an_engine_that_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.data.engines.find_spec", lambda name: None)
    with pytest.raises(
        ConfigError, match=r"^data\.engine: spark is not installed: run `make spark`, received 'spark'$"
    ):
        make_engine(check({"data": {"engine": "spark"}}).data)


def test_spark_without_java_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("recommender.data.engines.find_spec", lambda name: object())
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(ConfigError, match=r"^data\.engine: spark needs Java 17 or newer, found neither"):
        make_engine(check({"data": {"engine": "spark"}}).data)
