"""A transaction on Redis: what it reads and writes is collected for one script to compare and to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from recommender.app.features.backend import Records, Side
from recommender.app.features.redis_connection import RedisConnection


class ReplacedMeanwhileError(Exception):
    """The version went away while a transaction read it."""


class RedisTransaction:
    """A `Transaction` that collects what it reads and writes for one script to compare and to do."""

    def __init__(self, redis: RedisConnection, pointer: str, version: int, user_ttl: int | None) -> None:
        self.version = version
        self.writes: list[list[Any]] = []
        self._redis = redis
        self._pointer = pointer
        self._user_ttl = user_ttl
        self._checks: dict[tuple[str, str], bytes] = {}

    def catalogue(self) -> bytes:
        """The version's catalogue."""
        with self._redis.errors():
            content = self._redis.client.get(self._redis.key(f"v{self.version}", "catalogue"))
        if content is None:
            raise ReplacedMeanwhileError
        return cast(bytes, content)

    def read(self, user_id: str, movie_ids: Sequence[str]) -> Records:
        """What the version keeps of a user and of movies."""
        records = self._redis.records(self._pointer, user_id, movie_ids)
        self._expect("user", user_id, "profile", records.profile)
        self._expect("user", user_id, "state", records.user)
        for movie_id, state in zip(movie_ids, records.movies, strict=True):
            self._expect("movie", movie_id, "state", state)
        return records

    def log(self, side: Side, key: str) -> bytes:
        """The log of a user or of a movie."""
        with self._redis.errors():
            # A log never changes without its state: what is read first is the state to compare.
            state = self._redis.client.hget(self._key(side, key), "state")
            self._expect(side, key, "state", cast(bytes | None, state))
            return cast(bytes, self._redis.client.get(self._key(f"{side}-log", key)) or b"")

    def put_profile(self, user_id: str, profile: bytes) -> None:
        """Set a user's profile."""
        self._write("HSET", self._key("user", user_id), "profile", profile)
        self._prolong("user", user_id)

    def put_state(self, side: Side, key: str, state: bytes) -> None:
        """Set the state of a user or of a movie."""
        self._write("HSET", self._key(side, key), "state", state)
        self._prolong(side, key)

    def append(self, side: Side, key: str, rows: bytes) -> None:
        """Add rows to the end of a log."""
        self._write("APPEND", self._key(f"{side}-log", key), rows)
        self._prolong(side, key)

    def replace_log(self, side: Side, key: str, rows: bytes) -> None:
        """Put other rows in a log's place."""
        self._write("SET", self._key(f"{side}-log", key), rows)
        self._prolong(side, key)

    def add_event(self, event: bytes) -> None:
        """Add to the live events."""
        self._write("RPUSH", self._redis.key("events"), event)

    def arguments(self) -> list[Any]:
        """What the script `COMMIT` takes."""
        checks = [word for (key, field), value in self._checks.items() for word in (key, field, value)]
        writes = [word for command in self.writes for word in (len(command), *command)]
        return [self.version, len(self._checks), *checks, *writes]

    def _expect(self, side: Side, key: str, field: str, value: bytes | None) -> None:
        """Remember what was read first: if it has changed by a second reading, all must be done anew."""
        self._checks.setdefault((self._key(side, key), field), b"" if value is None else b"=" + value)

    def _prolong(self, side: Side, key: str) -> None:
        """A user is kept for another while; hash and log go together."""
        if side == "user" and self._user_ttl is not None:
            for kind in ("user", "user-log"):
                self._write("EXPIRE", self._key(kind, key), self._user_ttl)

    def _write(self, *words: Any) -> None:
        self.writes.append(list(words))

    def _key(self, kind: str, key: str) -> str:
        return self._redis.key(f"v{self.version}", kind, key)
