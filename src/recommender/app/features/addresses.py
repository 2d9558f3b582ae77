"""Where a feature store is: `sqlite:data/features.sqlite`, `redis://host:6379/0`."""

from __future__ import annotations

import re
from pathlib import Path

from recommender.app.features.backend import Backend
from recommender.errors import ConfigError

FILE = "sqlite:"
SERVERS = ("redis://", "rediss://", "unix://")


def open_backend(address: str) -> Backend:
    """The backend at an address; raises `ConfigError` for what is none.

    A SQLite file is made where it is missing; a Redis is not spoken to before it is used.
    """
    if address.startswith(FILE) and address != FILE:
        from recommender.app.features.sqlite_backend import SQLiteBackend

        return SQLiteBackend(Path(address.removeprefix(FILE)))
    if address.startswith(SERVERS):
        from recommender.app.features.redis_backend import RedisBackend

        try:
            return RedisBackend(address)
        except ValueError as error:
            raise ConfigError(f"store: {error}, received {without_password(address)!r}") from None
    raise ConfigError(
        f"store: must be sqlite:FILE or redis://HOST:PORT/DATABASE, received {without_password(address)!r}"
    )


def without_password(address: str) -> str:
    """An address as it may be shown and logged."""
    return re.sub(r"//[^/]*@", "//***@", address)
