"""What clients send, and the answers that only these routes give."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from recommender.app.answers import Answer, Recommendations
from recommender.app.api.parameters import LONGEST_ID

MOST_LIKED = 50
Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]


class Body(BaseModel):
    """What all bodies share: unknown fields and silent conversions are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class RatingBody(Body):
    """A rating on the data's scale; `timestamp` in seconds UTC, the present one where it is left out."""

    movie_id: Id
    rating: float
    timestamp: int | None = Field(None, ge=0, le=2**53)


class NewcomerBody(Body):
    """What a newcomer tells; everything may be left out."""

    liked: list[Id] = Field(default_factory=list, max_length=MOST_LIKED)
    gender: str | None = Field(None, min_length=1, max_length=50)
    age: int | None = Field(None, ge=0, le=120)
    occupation: str | None = Field(None, min_length=1, max_length=100)


class StoredRating(Answer):
    """A rating as it was stored."""

    user_id: str
    movie_id: str
    rating: float
    timestamp: int


class LoggedEvent(Answer):
    """`counts` is false for an event of a list that is not known: it is logged, and enters no statistics."""

    counts: bool


class NewUser(Answer):
    """A newcomer's id and first list."""

    user_id: str
    recommendations: Recommendations
