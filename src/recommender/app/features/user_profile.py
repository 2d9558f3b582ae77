"""What is known of a user before any rating."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import orjson
import pandas as pd

from recommender.app.features.errors import InvalidRatingError

OLDEST = 120  # years; the rule of the users table


@dataclass(frozen=True)
class UserProfile:
    """`index` is the user's index in models of the same prepared data, 0 for one they do not know."""

    index: int = 0
    gender: str | None = None
    age: int | None = None
    occupation: str | None = None

    def to_bytes(self) -> bytes:
        """JSON of what is known."""
        return orjson.dumps(self.known())

    def known(self) -> dict[str, int | str]:
        """What is known, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_bytes(cls, content: bytes | None) -> UserProfile:
        """What `to_bytes` gave; nothing is a user of whom nothing is known."""
        return cls() if content is None else cls(**orjson.loads(content))


def profile_of(user: Any, index: int) -> UserProfile:
    """The profile of a row of the users table, which may have missing values of any kind."""
    given = (user.gender, user.age, user.occupation)
    gender, age, occupation = (None if pd.isna(value) else value for value in given)
    return UserProfile(index, gender, None if age is None else int(age), occupation)


def check_profile(gender: str | None, age: int | None, occupation: str | None) -> UserProfile:
    """The profile of a newcomer; raises `InvalidRatingError` for what is no such profile."""
    for name, value in (("gender", gender), ("occupation", occupation)):
        if value is not None and not (isinstance(value, str) and value):
            raise InvalidRatingError(f"{name} must be a text or None, received {value!r}")
    whole = isinstance(age, int) and not isinstance(age, bool)
    if age is not None and not (whole and 0 <= age <= OLDEST):
        raise InvalidRatingError(f"age must be whole years from 0 to {OLDEST} or None, received {age!r}")
    return UserProfile(0, gender, age, occupation)
