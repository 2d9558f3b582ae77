"""The backend for several machines: Redis.

| key | type | content |
|---|---|---|
| recommender:current | string | the version that readers see |
| recommender:filling, :last | string | the version under way, the last number given |
| recommender:old | set | versions to remove |
| recommender:events | list | live events |
| recommender:v3:catalogue | string | the catalogue of version 3 |
| recommender:v3:blob:similar-item2vec | string | what the push has put under that name |
| recommender:v3:user:42 | hash | profile, state |
| recommender:v3:movie:50 | hash | state |
| recommender:v3:user-log:42, movie-log:50 | string | logs |

What a change has read is compared again when it is written, in one script, so concurrent changes lose
nothing.
For what was answered to outlive a crash of the machine, Redis must run with `appendonly yes` and `appendfsync
always`; with `everysec` the last second may be lost when the power fails, but nothing when only Redis dies.
`maxmemory-policy` must be `noeviction`, or ratings go away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from recommender.app.features.backend import MovieRecord, Records, Result, Side, UserRecord
from recommender.app.features.errors import ReplacedError, StoreUnavailableError
from recommender.app.features.redis_commands import BEGIN, COMMIT, LOG, SWITCH
from recommender.app.features.redis_connection import RedisConnection
from recommender.app.features.redis_transaction import RedisTransaction, ReplacedMeanwhileError

USER_TTL = 180 * 86_400  # seconds after the last change at which a user is forgotten until the next push
TIMEOUT = 5.0  # seconds
MAX_ATTEMPTS = 100
REMOVED_AT_ONCE = 500  # keys


class RedisBackend:
    """A `Backend` in one Redis database, under the keys that begin with `prefix`.

    `user_ttl` is in seconds, None = never. Users expire; their ratings still count in the sums of movies, and
    the live events, which do not expire, bring them back with the next push.
    """

    def __init__(
        self, url: str, prefix: str = "recommender", user_ttl: int | None = USER_TTL, timeout: float = TIMEOUT
    ) -> None:
        self.redis = RedisConnection(url, prefix, timeout)
        self._user_ttl = user_ttl
        self._log, self._commit, self._begin, self._switch = map(
            self.redis.client.register_script, (LOG, COMMIT, BEGIN, SWITCH)
        )

    def read(self, user_id: str, movie_ids: Sequence[str]) -> Records:
        """What the current version keeps of a user and of movies, in their order, at one moment."""
        return self.redis.records(self.redis.key("current"), user_id, movie_ids)

    def log(self, side: Side, key: str) -> tuple[int, bytes]:
        """The current version's number and its log of a user or of a movie."""
        version, rows = self.redis.ask(self._log, self.redis.key("current"), side, key)
        return int(version), rows or b""

    def catalogue(self, version: int) -> bytes | None:
        """A version's catalogue; None where the version is gone."""
        with self.redis.errors():
            return cast(bytes | None, self.redis.client.get(self.redis.key(f"v{version}:catalogue")))

    def blob(self, version: int, name: str) -> bytes | None:
        """What was put under a name into a version; None where there is nothing or the version is gone."""
        with self.redis.errors():
            return cast(bytes | None, self.redis.client.get(self.redis.key(f"v{version}", "blob", name)))

    def change(self, work: Callable[[RedisTransaction], Result], version: int | None = None) -> Result:
        """Call `work` on a transaction of a version (None: the current one) and commit its writes.

        `work` is called anew when others have changed what it had read.
        """
        pointer = self.redis.key("current" if version is None else "filling")
        for _ in range(MAX_ATTEMPTS):
            if version is not None:
                self._check_filling(version)
            found = version or self.redis.version_at(pointer)
            transaction = RedisTransaction(self.redis, pointer, found, self._user_ttl)
            try:
                result = work(transaction)
            except ReplacedMeanwhileError:
                continue
            if self._committed(transaction, pointer):
                return result
        raise StoreUnavailableError(
            f"{self.redis.name}: others changed the same ratings {MAX_ATTEMPTS} times over"
        )

    def begin(self, catalogue: bytes) -> int:
        """Make a new, empty version, which no reader sees; unfinished older ones end here."""
        with self.redis.errors():
            return int(self._begin(self._keys("filling", "last", "old"), [self.redis.prefix, catalogue]))

    def fill(self, version: int, users: Sequence[UserRecord], movies: Sequence[MovieRecord]) -> None:
        """Write a batch to a version under way; raises `ReplacedError` where it was ended."""
        base = self.redis.key(f"v{version}:")
        with self.redis.errors(), self.redis.client.pipeline(transaction=False) as pipeline:
            for user in users:
                key, log = f"{base}user:{user.user_id}", f"{base}user-log:{user.user_id}"
                pipeline.hset(key, mapping={"profile": user.profile, "state": user.state})
                pipeline.set(log, user.log, ex=self._user_ttl)
                if self._user_ttl is not None:
                    pipeline.expire(key, self._user_ttl)
            for movie in movies:
                pipeline.hset(f"{base}movie:{movie.movie_id}", "state", movie.state)
                pipeline.set(f"{base}movie-log:{movie.movie_id}", movie.log)
            pipeline.execute()
        self._check_filling(version)

    def put_blob(self, version: int, name: str, content: bytes) -> None:
        """Put something under a name into a version under way; `ReplacedError` where it was ended."""
        with self.redis.errors():
            self.redis.client.set(self.redis.key(f"v{version}", "blob", name), content)
        self._check_filling(version)

    def events(self, start: int = 0) -> list[bytes]:
        """The live events from a place on, oldest first."""
        with self.redis.errors():
            return cast(list[bytes], self.redis.client.lrange(self.redis.key("events"), start, -1))

    def switch(self, version: int, seen: int, kept: Sequence[bytes]) -> bool:
        """Make a version current and `kept` the live events, in one step, if `seen` is how many there are.

        Returns False, with nothing done, where there are more. Raises `ReplacedError` where the version was
        ended.
        """
        with self.redis.errors():
            done = self._switch(self._keys("filling", "current", "old", "events"), [version, seen, *kept])
        if done < 0:
            raise _replaced(version)
        return bool(done)

    def remove_old(self) -> None:
        """Remove all versions that are neither current nor under way."""
        client = self.redis.client
        with self.redis.errors():
            seen = client.mget(self._keys("current", "filling"))
            for version in cast(set[bytes], client.smembers(self.redis.key("old"))):
                if version not in seen:
                    self._remove(self.redis.key(f"v{int(version)}", "*"))
                client.srem(self.redis.key("old"), version)

    def close(self) -> None:
        """Let go of connections."""
        self.redis.client.close()

    def _remove(self, pattern: str) -> None:
        batch: list[bytes] = []
        for key in self.redis.client.scan_iter(pattern, count=REMOVED_AT_ONCE):
            batch.append(key)
            if len(batch) == REMOVED_AT_ONCE:
                self.redis.client.unlink(*batch)
                batch.clear()
        if batch:
            self.redis.client.unlink(*batch)

    def _check_filling(self, version: int) -> None:
        with self.redis.errors():
            filling: Any = self.redis.client.get(self.redis.key("filling"))
            if filling is None or int(filling) != version:
                self.redis.client.sadd(self.redis.key("old"), version)  # what was written to it must go, too
                raise _replaced(version)

    def _committed(self, transaction: RedisTransaction, pointer: str) -> bool:
        if not transaction.writes:
            return True
        with self.redis.errors():
            return bool(self._commit([pointer], transaction.arguments()))

    def _keys(self, *names: str) -> list[str]:
        return [self.redis.key(name) for name in names]


def _replaced(version: int) -> ReplacedError:
    return ReplacedError(f"version {version} of the features was ended by a push that began later")
