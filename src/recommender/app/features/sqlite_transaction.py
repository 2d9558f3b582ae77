"""A transaction that SQLite holds open, and how the tables are read."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import orjson

from recommender.app.features.backend import Records, Side

USER = "SELECT profile, state FROM users WHERE version = ? AND user_id = ?"
MOVIES = """SELECT movie_id, state FROM movies
WHERE version = ? AND movie_id IN (SELECT value FROM json_each(?))"""


class SQLiteTransaction:
    """A `Transaction` that SQLite holds open."""

    def __init__(self, connection: sqlite3.Connection, version: int) -> None:
        self.version = version
        self._connection = connection

    def catalogue(self) -> bytes:
        """The version's catalogue."""
        return read_catalogue(self._connection, self.version) or b""

    def read(self, user_id: str, movie_ids: Sequence[str]) -> Records:
        """What the version keeps of a user and of movies."""
        return read_records(self._connection, self.version, user_id, movie_ids)

    def log(self, side: Side, key: str) -> bytes:
        """The log of a user or of a movie."""
        return read_log(self._connection, self.version, side, key)

    def put_profile(self, user_id: str, profile: bytes) -> None:
        """Set a user's profile."""
        self._put("user", "profile", user_id, profile)

    def put_state(self, side: Side, key: str, state: bytes) -> None:
        """Set the state of a user or of a movie."""
        self._put(side, "state", key, state)

    def append(self, side: Side, key: str, rows: bytes) -> None:
        """Add rows to the end of a log."""
        self._connection.execute(f"INSERT INTO {side}_log VALUES (?, ?, ?)", (self.version, key, rows))

    def replace_log(self, side: Side, key: str, rows: bytes) -> None:
        """Put other rows in a log's place."""
        remove = f"DELETE FROM {side}_log WHERE version = ? AND {side}_id = ?"
        self._connection.execute(remove, (self.version, key))
        self.append(side, key, rows)

    def add_event(self, event: bytes) -> None:
        """Add to the live events."""
        self._connection.execute("INSERT INTO events (event) VALUES (?)", (event,))

    def _put(self, side: Side, column: str, key: str, value: bytes) -> None:
        self._connection.execute(
            f"INSERT INTO {side}s (version, {side}_id, {column}) VALUES (?, ?, ?) "
            f"ON CONFLICT DO UPDATE SET {column} = excluded.{column}",
            (self.version, key, value),
        )


def read_records(
    connection: sqlite3.Connection, version: int, user_id: str, movie_ids: Sequence[str]
) -> Records:
    """What a version keeps of a user and of movies, in their order; two queries."""
    profile, state = connection.execute(USER, (version, user_id)).fetchone() or (None, None)
    states: dict[str, bytes] = {}
    if movie_ids:
        states = dict(connection.execute(MOVIES, (version, orjson.dumps(movie_ids).decode())).fetchall())
    return Records(version, profile, state, [states.get(movie_id) for movie_id in movie_ids])


def read_log(connection: sqlite3.Connection, version: int, side: Side, key: str) -> bytes:
    """A version's log of a user or of a movie: what was pushed and what has come since, in that order."""
    query = f"SELECT rows FROM {side}_log WHERE version = ? AND {side}_id = ? ORDER BY rowid"
    return b"".join(rows for (rows,) in connection.execute(query, (version, key)))


def read_catalogue(connection: sqlite3.Connection, version: int) -> bytes | None:
    """A version's catalogue; None where the version is gone."""
    row = connection.execute("SELECT catalogue FROM versions WHERE version = ?", (version,)).fetchone()
    return None if row is None else row[0]
