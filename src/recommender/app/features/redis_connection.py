"""One Redis database under a prefix: names of keys, errors in one line, and reading in one round trip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from recommender.app.features.backend import Records
from recommender.app.features.errors import StoreUnavailableError
from recommender.app.features.redis_commands import READ


class RedisConnection:
    """A pool of connections, for several threads; raises `StoreUnavailableError` for whatever goes wrong."""

    def __init__(self, url: str, prefix: str, timeout: float) -> None:
        # No retry by the client: a change whose answer was lost would be made twice.
        self.client = redis.Redis.from_url(
            url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0)
        )
        options = self.client.connection_pool.connection_kwargs
        self.name = f"redis at {options.get('path') or options.get('host', 'localhost')}"
        self.prefix = prefix
        self._read = self.client.register_script(READ)

    def key(self, *names: str | int) -> str:
        """The name of a key in Redis."""
        return ":".join([self.prefix, *map(str, names)])

    def records(self, pointer: str, user_id: str, movie_ids: Sequence[str]) -> Records:
        """What the version at the key `pointer` keeps of a user and of movies, at one moment."""
        version, profile, state, *movies = self.ask(self._read, pointer, user_id, *movie_ids)
        return Records(int(version), profile, state, movies)

    def ask(self, script: Script, pointer: str, *arguments: str) -> list[Any]:
        """What a script answers for the version at the key `pointer`."""
        with self.errors():
            found = script([pointer], [self.prefix, *arguments])
        if found is None:
            raise self.no_version()
        return found

    def version_at(self, pointer: str) -> int:
        """The version that a key names."""
        with self.errors():
            version: Any = self.client.get(pointer)
        if version is None:
            raise self.no_version()
        return int(version)

    def no_version(self) -> StoreUnavailableError:
        """The error of a Redis into which nothing was pushed."""
        return StoreUnavailableError(f"{self.name} holds no features yet: run recommender features push")

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what Redis or the network complains of into `StoreUnavailableError`."""
        try:
            yield
        except redis.RedisError as error:
            raise StoreUnavailableError(f"{self.name}: the feature store cannot be used: {error}") from error
