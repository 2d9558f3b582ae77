"""A table in several Parquet files, each with a fixed range of row numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recommender.errors import DataError

ASKING = "asking.parquet"  # rows with negative numbers


def shard_path(folder: Path, number: int) -> Path:
    """Where shard `number` is, from 0; negative: where rows that only ask are."""
    return folder / (f"part-{number:05d}.parquet" if number >= 0 else ASKING)


def shard_paths(folder: Path) -> list[Path]:
    """The shards of a folder in the order of their rows."""
    return sorted(folder.glob("part-*.parquet"))


def read_shard_columns(shard: Path, columns: Sequence[str]) -> pa.Table:
    """Some columns of a shard; raises `DataError` for one that is gone or broken."""
    try:
        return pq.read_table(shard, columns=list(columns))
    except (OSError, pa.ArrowInvalid) as error:
        raise _unreadable(shard, error) from None


def rows_of_shard(shard: Path) -> int:
    """How many rows a shard has, without reading them; raises `DataError` as `read_shard_columns` does."""
    try:
        return pq.read_metadata(shard).num_rows
    except (OSError, pa.ArrowInvalid) as error:
        raise _unreadable(shard, error) from None


def write_shards(batches: Iterable[pa.RecordBatch], folder: Path, rows: int) -> None:
    """Write batches that are in the order of their column `row`, `rows` numbers to a file.

    At most one shard and one batch are held in memory.
    """
    number, pending = 0, list[pa.RecordBatch]()
    for batch in batches:
        for shard, part in _by_shard(batch, rows):
            if pending and shard != number:
                write_shard(pa.Table.from_batches(pending), shard_path(folder, number))
                pending = []
            number = shard
            pending.append(part)
    if pending:
        write_shard(pa.Table.from_batches(pending), shard_path(folder, number))


def write_shard(table: pa.Table, path: Path) -> None:
    """Write one shard as a file with one row group."""
    pq.write_table(table, path, compression="zstd", row_group_size=max(len(table), 1))


def _unreadable(shard: Path, error: Exception) -> DataError:
    reason = "it is gone" if isinstance(error, FileNotFoundError) else str(error).splitlines()[0]
    return DataError(f"{shard}: these features cannot be read, prepare them again: {reason}")


def _by_shard(batch: pa.RecordBatch, rows: int) -> Iterable[tuple[int, pa.RecordBatch]]:
    """The parts of a batch with the number of the shard that each belongs to; -1 for all negative rows."""
    shards = (batch["row"].to_numpy() // rows).clip(-1)
    begin = 0
    while begin < len(shards):
        end = int(shards.searchsorted(shards[begin], side="right"))
        yield int(shards[begin]), batch.slice(begin, end - begin)
        begin = end
