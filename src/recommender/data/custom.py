"""The user's own tables: CSV or Parquet files, with a mapping from our columns to theirs."""

from __future__ import annotations

import csv
import logging
from collections.abc import Mapping
from pathlib import Path

import duckdb

from recommender.config import CustomSettings
from recommender.data.sources import (
    TEXT_COLUMNS,
    DelimitedFile,
    ParquetFile,
    RawTable,
    Source,
    identifier,
    literal,
    year_in,
)
from recommender.errors import ConfigError, DataError

log = logging.getLogger(__name__)

NAME = "custom"
NEEDED = {"ratings": ("user_id", "movie_id"), "movies": ("movie_id",), "users": ("user_id",)}
DELIMITERS = ",\t;|"
PRETENDED_START = 946_684_800  # 2000-01-01, for ratings without times


def source(settings: CustomSettings) -> Source:
    """The tables that `settings` names, ready to be read.

    Only `ratings` is needed, with a user and a movie in each row. Without a movies table a movie's id is its
    title; without ratings every row counts as the highest rating; without times the order of the file is
    taken for the order of time, one second a row. Times are seconds since 1970 or dates such as
    2024-01-31 20:15:00+01:00 (UTC where they name no offset). Raises `ConfigError` for a file or column that
    is named but not there.
    """
    if settings.ratings is None:
        raise ConfigError("data.custom.ratings: must name a CSV or Parquet file when data.dataset is custom")
    _check_mapping(settings.columns)
    low, high = settings.rating_scale
    return Source(
        name=NAME,
        ratings=_ratings(settings.ratings, settings.columns, high),
        movies=_movies(settings.movies, settings.columns) if settings.movies else None,
        users=_table("users", settings.users, settings.columns) if settings.users else None,
        rating_scale=(low, high),
    )


def _check_mapping(columns: Mapping[str, str]) -> None:
    """Raise `ConfigError` for a key that is neither a canonical column nor `table.column`."""
    known = {column for names in TEXT_COLUMNS.values() for column in names}
    known |= {f"{table}.{column}" for table, names in TEXT_COLUMNS.items() for column in names}
    for key in columns:
        if key not in known:
            plain = ", ".join(sorted(name for name in known if "." not in name))
            raise ConfigError(
                f"data.custom.columns: no such column of ours: {key!r}; they are {plain}, or table.column"
            )


def _ratings(path: Path, columns: Mapping[str, str], highest: float) -> RawTable:
    table = _table("ratings", path, columns)
    select = dict(table.select)
    if "rating" not in select:
        log.warning("%s has no ratings: every row counts as the highest, %g", path, highest)
        select["rating"] = literal(highest)
    if "timestamp" in select:
        select["timestamp"] = _as_seconds(select["timestamp"])
    else:
        log.warning("%s has no times: the order of its rows is taken for the order of time", path)
        select["timestamp"] = f"{PRETENDED_START} + row_number() OVER ()"
    return RawTable(table.file, select)


def _as_seconds(column: str) -> str:
    """SQL that turns a date and time into seconds and leaves everything else for the rules to judge."""
    text = f"CAST({column} AS VARCHAR)"
    return f"coalesce(CAST(CAST(floor(epoch(TRY_CAST({text} AS TIMESTAMPTZ))) AS BIGINT) AS VARCHAR), {text})"


def _movies(path: Path, columns: Mapping[str, str]) -> RawTable:
    table = _table("movies", path, columns)
    select = dict(table.select)
    title = select.setdefault("title", select["movie_id"])
    given = select.get("release_year", "NULL")
    select["release_year"] = f"coalesce(CAST({given} AS VARCHAR), {year_in(f'CAST({title} AS VARCHAR)')})"
    return RawTable(table.file, select)


def _table(name: str, path: Path, columns: Mapping[str, str]) -> RawTable:
    """A file and which of its columns become which of ours."""
    file, types = _open(name, path)
    select = {}
    for column in TEXT_COLUMNS[name]:
        key = f"{name}.{column}" if f"{name}.{column}" in columns else column
        theirs = columns.get(key, column)
        if theirs in types:
            is_list = types[theirs].endswith("[]")
            select[column] = f"array_to_string({identifier(theirs)}, '|')" if is_list else identifier(theirs)
        elif key in columns or column in NEEDED[name]:
            raise ConfigError(
                f"{path}: there is no column {theirs!r} for {column}; it has {', '.join(types)}"
            )
    return RawTable(file, select)


def _open(name: str, path: Path) -> tuple[DelimitedFile | ParquetFile, dict[str, str]]:
    """The file and its columns with their SQL types."""
    if not path.is_file():
        raise ConfigError(f"data.custom.{name}: there is no file {path}")
    if path.suffix == ".parquet":
        file = ParquetFile(path)
        try:
            described = duckdb.execute(f"DESCRIBE SELECT * FROM {file.relation('')}").fetchall()
        except duckdb.Error as error:
            raise DataError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None
        return file, {column: kind for column, kind, *_ in described}
    text = _delimited(path)
    return text, dict.fromkeys(text.columns, "VARCHAR")


def _delimited(path: Path) -> DelimitedFile:
    """A text file with a header, whose most frequent delimiter there is taken for the file's."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header = stream.readline()
    except UnicodeDecodeError:
        raise DataError(f"{path}, line 1: the header must be encoded as utf-8") from None
    delimiter = max(DELIMITERS, key=header.count)
    columns = tuple(next(csv.reader([header], delimiter=delimiter), []))
    if not columns or len({name.casefold() for name in columns}) < len(columns):
        raise DataError(
            f"{path}, line 1: the header must name each column once, received {header.rstrip()!r}"
        )
    return DelimitedFile(path, columns, delimiter)
