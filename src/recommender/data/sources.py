"""What a raw data set looks like: its files, and how their columns become the canonical ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from recommender.checksums import sha256_of

# The canonical columns, as text until they are checked; `recommender.data.tables` has the final types.
TEXT_COLUMNS = {
    "ratings": ("user_id", "movie_id", "rating", "timestamp"),
    "movies": ("movie_id", "title", "genres", "release_year"),
    "users": ("user_id", "gender", "age", "occupation", "zip_code"),
}


@dataclass(frozen=True)
class DelimitedFile:
    """A text file with one record a line; every column is read as text."""

    path: Path
    columns: tuple[str, ...]
    delimiter: str = ","
    quote: str = '"'  # empty: quotes are ordinary characters
    encoding: str = "utf-8"
    header: bool = True
    unit: ClassVar[str] = "line"

    def relation(self, rejects: str) -> str:
        """SQL that yields the records in file order; unreadable ones go to the temporary table `rejects`."""
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in self.columns)
        return (
            f"read_csv({literal(self.path)}, auto_detect=false, header={self.header}, "
            f"delim={literal(self.delimiter)}, quote={literal(self.quote)}, escape={literal(self.quote)}, "
            f"encoding={literal(self.encoding)}, columns={{{columns}}}, store_rejects=true, rejects_limit=0, "
            f"rejects_table={literal(rejects)}, rejects_scan={literal(rejects + '_scans')})"
        )

    def position(self, record: int) -> int:
        """Line on which record `record` (from 0) begins, if every line before it can be read.

        Blank lines hold no record, and a quoted field may span several lines.
        """
        record += int(self.header)
        quote = self.quote.encode()
        begin, inside_quotes = 0, False
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not inside_quotes:
                    if not line.strip(b"\r\n"):
                        continue
                    begin = number
                inside_quotes ^= bool(quote) and line.count(quote) % 2 == 1
                if not inside_quotes:
                    if record == 0:
                        return begin
                    record -= 1
        raise ValueError(f"{self.path} has fewer records than asked for")


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file; columns are cast to text by the expressions that select them."""

    path: Path
    unit: ClassVar[str] = "row"

    def relation(self, rejects: str) -> str:
        """SQL that yields the rows in file order; a Parquet file has no unreadable rows, so no `rejects`."""
        return f"read_parquet({literal(self.path)})"

    def position(self, record: int) -> int:
        """Row number, from 1, of record `record` (from 0)."""
        return record + 1


@dataclass(frozen=True)
class RawTable:
    """One raw file and, for each canonical column, the SQL over the file's columns that gives it as text.

    Columns that are left out are null. Genres are one text separated by `|`.
    """

    file: DelimitedFile | ParquetFile
    select: Mapping[str, str]


@dataclass(frozen=True)
class Counts:
    """How many users, movies and ratings a data set has."""

    users: int
    movies: int
    ratings: int


@dataclass(frozen=True)
class Source:
    """A raw data set, ready to be read. `movies` and `users` are None where it has no such table."""

    name: str
    ratings: RawTable
    movies: RawTable | None
    users: RawTable | None
    rating_scale: tuple[float, float]
    rating_step: float | None = None  # None: any rating within the scale
    counts: Counts | None = None  # None: not known beforehand

    def tables(self) -> dict[str, RawTable]:
        """The raw tables it has, by canonical name; movies come before the ratings that refer to them."""
        tables = {"movies": self.movies, "users": self.users, "ratings": self.ratings}
        return {name: table for name, table in tables.items() if table is not None}

    def fingerprint(self) -> str:
        """SHA-256 over the names and the bytes of its files."""
        digest = hashlib.sha256()
        for name, table in self.tables().items():
            digest.update(f"{name} {table.file.path.name} {sha256_of(table.file.path)}\n".encode())
        return digest.hexdigest()


def literal(value: object) -> str:
    """A text (or path) as an SQL string literal."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A column name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def year_in(title: str) -> str:
    """SQL for the year in a title's last "(1994)", of a span such as "(1975-1979)" the first; else null."""
    return rf"regexp_extract_all({title}, '\(((?:18|19|20)\d\d)(?:[-–]\d*)?\)', 1)[-1]"
