"""From raw files to the canonical Parquet tables, through SQL on DuckDB.

Rows go through a database on disk, so that memory stays bounded and all cores work; DuckDB keeps the order of
the file, and `rowid` is a record's place in it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from recommender.data.rules import row_rules
from recommender.data.sources import TEXT_COLUMNS, RawTable, Source, literal
from recommender.data.validation import OnBadRows, check_rows
from recommender.errors import DataError

BLANKS = r"E' \t\r\n'"

RATINGS = """
SELECT row_number() OVER () - 1 AS row, user_id, movie_id,
       CAST(rating AS FLOAT) AS rating, CAST(timestamp AS BIGINT) AS timestamp
FROM ratings"""

MOVIES = """
SELECT movie_id, title,
       list_filter(
           list_transform(string_split(coalesce(genres, ''), '|'), lambda genre: trim(genre)),
           lambda genre: genre NOT IN ('', '(no genres listed)', 'unknown')) AS genres,
       TRY_CAST(release_year AS INTEGER) AS release_year
FROM movies"""

MOVIES_FROM_RATINGS = """
SELECT movie_id, movie_id AS title, CAST([] AS VARCHAR[]) AS genres, CAST(NULL AS INTEGER) AS release_year
FROM ratings GROUP BY movie_id ORDER BY min(rowid)"""

USERS = """
SELECT user_id, gender, CAST(CAST(age AS DOUBLE) AS INTEGER) AS age, occupation, zip_code
FROM (
    SELECT 0 AS part, rowid AS place, * FROM users
    UNION ALL BY NAME
    SELECT 1 AS part, min(rowid) AS place, user_id FROM ratings
    WHERE user_id NOT IN (SELECT user_id FROM users) GROUP BY user_id)
ORDER BY part, place"""


def write_canonical_tables(source: Source, folder: Path, on_bad_rows: OnBadRows) -> dict[str, int]:
    """Write `ratings.parquet`, `movies.parquet`, `users.parquet` into `folder`.

    Returns how many rows each rule has dropped. Raises `DataError` about the first bad row, unless rows are
    to be dropped, and where no rating is left.
    """
    dropped: dict[str, int] = {}
    with _database(folder) as connection:
        for name, table in source.tables().items():
            _stage(connection, name, table)
            dropped |= check_rows(connection, name, table, row_rules(name, source, time.time()), on_bad_rows)
        if not connection.execute("SELECT 1 FROM ratings LIMIT 1").fetchone():
            raise DataError(f"{source.ratings.file.path}: there is no rating in it")
        if source.users is None:
            columns = ", ".join(f"{column} VARCHAR" for column in TEXT_COLUMNS["users"])
            connection.execute(f"CREATE TABLE users ({columns})")
        movies = MOVIES if source.movies else MOVIES_FROM_RATINGS
        for name, query in {"ratings": RATINGS, "movies": movies, "users": USERS}.items():
            path = literal(folder / f"{name}.parquet")
            connection.execute(f"COPY ({query}) TO {path} (FORMAT parquet, COMPRESSION zstd)")
    return dropped


@contextmanager
def _database(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database on disk within `folder`, removed at the end."""
    with tempfile.TemporaryDirectory(prefix=".staging-", dir=folder) as scratch:
        config = {"temp_directory": scratch}
        with duckdb.connect(Path(scratch) / "staging.duckdb", config=config) as connection:
            connection.execute("SET TimeZone = 'UTC'")  # for dates that name no zone
            yield connection


def _stage(connection: duckdb.DuckDBPyConnection, name: str, table: RawTable) -> None:
    """Load a raw table as text columns without surrounding blanks; an empty text is null."""
    columns = ", ".join(
        f"nullif(trim(CAST({table.select.get(column, 'NULL')} AS VARCHAR), {BLANKS}), '') AS {column}"
        for column in TEXT_COLUMNS[name]
    )
    try:
        connection.execute(
            f"CREATE TABLE {name} AS SELECT {columns} FROM {table.file.relation(f'{name}_rejects')}"
        )
    except duckdb.Error as error:
        raise DataError(f"{table.file.path}: cannot be read: {str(error).splitlines()[0]}") from None
