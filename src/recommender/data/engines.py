"""Where the feature SQL runs. One text, several engines: DuckDB here, on one machine, in one process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa


class Engine(Protocol):
    """Runs one SQL text (DuckDB dialect) over named tables and writes the rows to a Parquet file."""

    def run(self, sql: str, tables: Mapping[str, pa.Table], destination: Path) -> None:
        """Run `sql` over `tables` and write its rows to `destination`."""
        ...


class DuckDBEngine:
    """The embedded engine: all cores, no server."""

    def run(self, sql: str, tables: Mapping[str, pa.Table], destination: Path) -> None:
        """Run `sql` over `tables` and write its rows to `destination`."""
        with duckdb.connect() as connection:
            for name, table in tables.items():
                connection.register(name, table)
            path = str(destination).replace("'", "''")
            connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
