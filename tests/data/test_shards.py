"""Feature shards: which rows stand in which file, and that a limit on memory changes nothing."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommender.config import check
from recommender.data import feature_tables
from recommender.data.engines import DuckDBEngine, make_engine
from recommender.data.features import FEATURES
from recommender.data.prepare import prepare
from recommender.data.shards import shard_paths, write_shards
from recommender.errors import ConfigError, RecommenderError


def batches(numbers: np.ndarray, size: int) -> list[pa.RecordBatch]:
    return pa.table({"row": numbers, "value": numbers * 2}).to_batches(size)


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_a_shard_holds_a_fixed_range_of_row_numbers(size: int, tmp_path: Path) -> None:
    write_shards(batches(np.array([-5, -2, 0, 1, 2, 3, 4, 5, 6, 9, 10]), size), tmp_path, rows=4)
    read = {path.name: pq.read_table(path)["row"].to_pylist() for path in shard_paths(tmp_path)}
    assert read == {
        "part-00000.parquet": [0, 1, 2, 3],
        "part-00001.parquet": [4, 5, 6],
        "part-00002.parquet": [9, 10],
    }
    assert pq.read_table(tmp_path / "asking.parquet")["value"].to_pylist() == [-10, -4]


def test_many_shards_hold_what_one_holds(settings, prepared, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(feature_tables, "SHARD_ROWS", 700)
    data = settings.data.model_copy(update={"home": tmp_path})
    many = prepare(settings.model_copy(update={"data": data}))
    assert len(many.feature_shards()) == 5 > len(prepared.feature_shards())
    rows = [many.read_shard(shard, FEATURES[:1])["row"] for shard in many.feature_shards()]
    assert np.concatenate(rows).tolist() == list(range(3000))
    for split in ("train", "validation", "test"):
        ours, theirs = (one.examples(split, FEATURES) for one in (many, prepared))
        for name in theirs:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6)
        np.testing.assert_array_equal(many.column("user_mean", split), prepared.column("user_mean", split))


def test_a_shard_is_read_with_its_row_numbers(prepared) -> None:
    (shard,) = prepared.feature_shards()
    arrays = prepared.read_shard(shard, FEATURES)
    np.testing.assert_array_equal(arrays["user_id"], prepared.interactions.user[arrays["row"]] + 1)
    test = prepared.interactions.split == 2
    for name, values in prepared.examples("test", FEATURES).items():
        np.testing.assert_array_equal(values, arrays[name][test])


def test_what_does_not_fit_the_memory_limit_goes_to_disk_and_is_removed(tmp_path: Path) -> None:
    n = 3_000_000
    table = pa.table({"row": np.random.default_rng(0).permutation(n), "value": np.arange(n)})
    sql = "SELECT row, value, SUM(value) OVER (PARTITION BY value % 7 ORDER BY row) AS total FROM numbers"
    DuckDBEngine("100MB").run_shards(sql, {"numbers": table}, tmp_path / "shards", rows=1 << 20)
    assert sum(pq.read_metadata(path).num_rows for path in shard_paths(tmp_path / "shards")) == n
    assert [path.name for path in tmp_path.iterdir()] == ["shards"]


def test_a_limit_that_is_too_low_is_one_line(tmp_path: Path) -> None:
    table = pa.table({"row": np.arange(1_000_000)})
    with pytest.raises(
        RecommenderError, match=r"^data\.memory_limit: too little for this data, received 1MB$"
    ):
        DuckDBEngine("1MB").run(
            "SELECT row FROM numbers ORDER BY row DESC", {"numbers": table}, tmp_path / "x"
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", ["4", "4gb", "lots", "0GB", "1.5GB"])
def test_a_memory_limit_is_a_number_of_megabytes_or_gigabytes(size: str) -> None:
    with pytest.raises(ConfigError, match=r"data\.memory_limit: must be whole megabytes or gigabytes"):
        check({"data": {"memory_limit": size}})


def test_the_memory_limit_reaches_the_engine(tmp_path: Path) -> None:
    engine = make_engine(check({"data": {"memory_limit": "512MB"}}).data)
    engine.run("SELECT current_setting('memory_limit') AS size", {}, tmp_path / "size.parquet")
    assert pq.read_table(tmp_path / "size.parquet")["size"].to_pylist() == ["488.2 MiB"]
