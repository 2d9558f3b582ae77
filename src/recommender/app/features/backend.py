"""What a feature store needs of the engine that keeps its bytes: SQLite, Redis or another one.

A backend knows nothing of features. It keeps, in numbered versions of which one is current:

| what | for | content |
|---|---|---|
| catalogue | a version | `StoreCatalogue.to_bytes` |
| blobs | a version, a name | `Neighbours.to_bytes` |
| profile, state | a user | `UserProfile.to_bytes`, `UserState.to_bytes` |
| state | a movie | `MovieState.to_bytes` |
| log | a user, a movie | rows of `USER_LOG`, of `MOVIE_LOG` |

and, beside all versions, the live events since the data was prepared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

Side = Literal["user", "movie"]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Records:
    """What is kept of a user and of some movies at one moment; None = nothing."""

    version: int
    profile: bytes | None
    user: bytes | None
    movies: list[bytes | None]


@dataclass(frozen=True)
class UserRecord:
    """A user on the way into a new version."""

    user_id: str
    profile: bytes
    state: bytes
    log: bytes


@dataclass(frozen=True)
class MovieRecord:
    """A movie on the way into a new version."""

    movie_id: str
    state: bytes
    log: bytes


class Transaction(Protocol):
    """Reads and writes of one version that take effect together or not at all.

    What was read is what still holds when the writes take effect. Reads do not see the writes before them.
    """

    version: int

    def catalogue(self) -> bytes:
        """The version's catalogue."""
        ...

    def read(self, user_id: str, movie_ids: Sequence[str]) -> Records:
        """As `Backend.read`, of this version."""
        ...

    def log(self, side: Side, key: str) -> bytes:
        """The log of a user or of a movie; empty where there is none."""
        ...

    def put_profile(self, user_id: str, profile: bytes) -> None:
        """Set a user's profile."""
        ...

    def put_state(self, side: Side, key: str, state: bytes) -> None:
        """Set the state of a user or of a movie."""
        ...

    def append(self, side: Side, key: str, rows: bytes) -> None:
        """Add rows to the end of a log."""
        ...

    def replace_log(self, side: Side, key: str, rows: bytes) -> None:
        """Put other rows in a log's place."""
        ...

    def add_event(self, event: bytes) -> None:
        """Add to the live events."""
        ...


class Backend(Protocol):
    """Raises `StoreUnavailableError` where the engine does not answer and where no version is current."""

    def read(self, user_id: str, movie_ids: Sequence[str]) -> Records:
        """What the current version keeps of a user and of movies, in their order, at one moment."""
        ...

    def log(self, side: Side, key: str) -> tuple[int, bytes]:
        """The current version's number and its log of a user or of a movie."""
        ...

    def catalogue(self, version: int) -> bytes | None:
        """A version's catalogue; None where the version is gone."""
        ...

    def blob(self, version: int, name: str) -> bytes | None:
        """What was put under a name into a version; None where there is nothing or the version is gone."""
        ...

    def change(self, work: Callable[[Transaction], Result], version: int | None = None) -> Result:
        """Call `work` in a transaction of a version (None: the current one) and make its writes durable.

        `work` may be called more than once, when others have changed what it had read.
        """
        ...

    def begin(self, catalogue: bytes) -> int:
        """Make a new, empty version, which no reader sees; unfinished older ones end here."""
        ...

    def fill(self, version: int, users: Sequence[UserRecord], movies: Sequence[MovieRecord]) -> None:
        """Write a batch to a version under way; raises `ReplacedError` where it was ended."""
        ...

    def put_blob(self, version: int, name: str, content: bytes) -> None:
        """Put something under a name into a version under way; `ReplacedError` where it was ended."""
        ...

    def events(self, start: int = 0) -> list[bytes]:
        """The live events from a place on, oldest first."""
        ...

    def switch(self, version: int, seen: int, kept: Sequence[bytes]) -> bool:
        """Make a version current and `kept` the live events, in one step, if `seen` is how many there are.

        Returns False, with nothing done, where there are more. Raises `ReplacedError` where the version was
        ended.
        """
        ...

    def remove_old(self) -> None:
        """Remove all versions that are neither current nor under way."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
