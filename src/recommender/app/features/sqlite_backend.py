"""The embedded backend: one SQLite file in write-ahead mode, for several threads and processes of a machine.

Readers see one moment and wait for nobody. A change is one transaction; `synchronous=FULL` has it on the disk
before it returns. Not for network file systems, where SQLite's locks do not hold.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from recommender.app.features.backend import MovieRecord, Records, Result, Side, UserRecord
from recommender.app.features.errors import ReplacedError, StoreUnavailableError
from recommender.app.features.sqlite_transaction import (
    SQLiteTransaction,
    read_catalogue,
    read_log,
    read_records,
)
from recommender.app.per_thread import PerThread

PATIENCE = 30.0  # seconds that a change waits for those of others
REMOVED_AT_ONCE = 200  # rows; between two such steps others get their turn

SCHEMA = """
CREATE TABLE IF NOT EXISTS versions (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    status TEXT NOT NULL CHECK (status IN ('filling', 'current', 'old')),
    catalogue BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS blobs (
    version INTEGER NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (version, name)
);
CREATE TABLE IF NOT EXISTS users (
    version INTEGER NOT NULL, user_id TEXT NOT NULL, profile BLOB, state BLOB, PRIMARY KEY (version, user_id)
);
CREATE TABLE IF NOT EXISTS movies (
    version INTEGER NOT NULL, movie_id TEXT NOT NULL, state BLOB, PRIMARY KEY (version, movie_id)
);
CREATE TABLE IF NOT EXISTS user_log (version INTEGER NOT NULL, user_id TEXT NOT NULL, rows BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS movie_log (version INTEGER NOT NULL, movie_id TEXT NOT NULL, rows BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS user_log_key ON user_log (version, user_id);
CREATE INDEX IF NOT EXISTS movie_log_key ON movie_log (version, movie_id);
CREATE TABLE IF NOT EXISTS events (event_id INTEGER PRIMARY KEY AUTOINCREMENT, event BLOB NOT NULL);
"""
TABLES = ("blobs", "users", "movies", "user_log", "movie_log")


class SQLiteBackend:
    """A `Backend` in the file `path`, which is made where it is missing. Open it anew after a fork."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connections = PerThread(self._connect)
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connections.get().executescript(SCHEMA)

    def read(self, user_id: str, movie_ids: Sequence[str]) -> Records:
        """What the current version keeps of a user and of movies, in their order, at one moment."""
        with self._reading() as connection:
            return read_records(connection, self._current(connection), user_id, movie_ids)

    def log(self, side: Side, key: str) -> tuple[int, bytes]:
        """The current version's number and its log of a user or of a movie."""
        with self._reading() as connection:
            version = self._current(connection)
            return version, read_log(connection, version, side, key)

    def catalogue(self, version: int) -> bytes | None:
        """A version's catalogue; None where the version is gone."""
        with self._errors():
            return read_catalogue(self._connections.get(), version)

    def blob(self, version: int, name: str) -> bytes | None:
        """What was put under a name into a version; None where there is nothing or the version is gone."""
        with self._errors():
            query = "SELECT content FROM blobs WHERE version = ? AND name = ?"
            row = self._connections.get().execute(query, (version, name)).fetchone()
            return None if row is None else row[0]

    def change(self, work: Callable[[SQLiteTransaction], Result], version: int | None = None) -> Result:
        """Call `work` in a transaction of a version (None: the current one) and make its writes durable.

        Those to a version under way become so with its switch.
        """
        with self._writing(durable=version is None) as connection:
            if version is None:
                return work(SQLiteTransaction(connection, self._current(connection)))
            _check_filling(connection, version)
            return work(SQLiteTransaction(connection, version))

    def begin(self, catalogue: bytes) -> int:
        """Make a new, empty version, which no reader sees; unfinished older ones end here."""
        with self._writing() as connection:
            connection.execute("UPDATE versions SET status = 'old' WHERE status = 'filling'")
            insert = "INSERT INTO versions (status, catalogue) VALUES ('filling', ?)"
            return connection.execute(insert, (catalogue,)).lastrowid or 0

    def fill(self, version: int, users: Sequence[UserRecord], movies: Sequence[MovieRecord]) -> None:
        """Write a batch to a version under way; raises `ReplacedError` where it was ended."""
        with self._writing(durable=False) as connection:
            _check_filling(connection, version)
            write = connection.executemany
            write(
                "INSERT INTO users VALUES (?, ?, ?, ?)",
                [(version, user.user_id, user.profile, user.state) for user in users],
            )
            write(
                "INSERT INTO movies VALUES (?, ?, ?)",
                [(version, movie.movie_id, movie.state) for movie in movies],
            )
            write("INSERT INTO user_log VALUES (?, ?, ?)", [(version, one.user_id, one.log) for one in users])
            write(
                "INSERT INTO movie_log VALUES (?, ?, ?)", [(version, one.movie_id, one.log) for one in movies]
            )

    def put_blob(self, version: int, name: str, content: bytes) -> None:
        """Put something under a name into a version under way; `ReplacedError` where it was ended."""
        with self._writing(durable=False) as connection:
            _check_filling(connection, version)
            connection.execute("INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)", (version, name, content))

    def events(self, start: int = 0) -> list[bytes]:
        """The live events from a place on, oldest first."""
        query = "SELECT event FROM events ORDER BY event_id LIMIT -1 OFFSET ?"
        with self._errors():
            return [event for (event,) in self._connections.get().execute(query, (start,))]

    def switch(self, version: int, seen: int, kept: Sequence[bytes]) -> bool:
        """Make a version current and `kept` the live events, in one step, if `seen` is how many there are.

        Returns False, with nothing done, where there are more. Raises `ReplacedError` where the version was
        ended.
        """
        with self._writing() as connection:
            _check_filling(connection, version)
            if connection.execute("SELECT COUNT(*) FROM events").fetchone() != (seen,):
                return False
            connection.execute("DELETE FROM events")
            connection.executemany("INSERT INTO events (event) VALUES (?)", [(event,) for event in kept])
            connection.execute("UPDATE versions SET status = 'old' WHERE status = 'current'")
            connection.execute("UPDATE versions SET status = 'current' WHERE version = ?", (version,))
            return True

    def remove_old(self) -> None:
        """Remove all versions that are neither current nor under way."""
        with self._errors():
            old = (
                self._connections.get()
                .execute("SELECT version FROM versions WHERE status = 'old'")
                .fetchall()
            )
        for (version,) in old:
            for table in TABLES:
                while self._remove_some(table, version):
                    pass
            with self._writing() as connection:
                connection.execute("DELETE FROM versions WHERE version = ?", (version,))

    def close(self) -> None:
        """Let go of connections."""
        self._connections.close()

    def _remove_some(self, table: str, version: int) -> int:
        rows = f"SELECT rowid FROM {table} WHERE version = ? LIMIT {REMOVED_AT_ONCE}"
        with self._writing(durable=False) as connection:
            return connection.execute(f"DELETE FROM {table} WHERE rowid IN ({rows})", (version,)).rowcount

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        return connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._errors(), _transaction(self._connections.get(), "DEFERRED") as connection:
            yield connection

    @contextmanager
    def _writing(self, durable: bool = True) -> Iterator[sqlite3.Connection]:
        with self._errors():
            connection = self._connections.get()
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            with _transaction(connection, "IMMEDIATE"):
                yield connection

    def _current(self, connection: sqlite3.Connection) -> int:
        row = connection.execute("SELECT version FROM versions WHERE status = 'current'").fetchone()
        if row is None:
            raise StoreUnavailableError(f"{self.path} holds no features yet: run recommender features push")
        return row[0]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailableError(f"{self.path}: the feature store cannot be used: {error}") from error


@contextmanager
def _transaction(connection: sqlite3.Connection, kind: str) -> Iterator[sqlite3.Connection]:
    connection.execute(f"BEGIN {kind}")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _check_filling(connection: sqlite3.Connection, version: int) -> None:
    query = "SELECT 1 FROM versions WHERE version = ? AND status = 'filling'"
    if connection.execute(query, (version,)).fetchone() is None:
        raise ReplacedError(f"version {version} of the features was ended by a push that began later")
