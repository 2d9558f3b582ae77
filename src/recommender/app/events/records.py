"""The lines of the event log: lists that were made, and what people did with them."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from typing import Any, Literal

import orjson

from recommender.app.answers import Event
from recommender.app.experiments.decision import Decision
from recommender.app.pipeline.listed import Listed, Place


@dataclass(frozen=True)
class Shown:
    """A list as it was answered. `time` is when, seconds UTC; `timestamp` the second that it was made for.

    `items` are its places: (movie id, score, prediction, channels). See `Decision` for the assignment.
    """

    request_id: str
    user_id: str
    variant: str
    assigned_by: str
    assignments: dict[str, str]
    diversity: float
    time: float
    timestamp: int
    degraded: list[str]
    items: list[tuple[str, float, float | None, tuple[str, ...]]]

    @classmethod
    def of(
        cls, request_id: str, user_id: str, decision: Decision, listed: Listed, time: float, timestamp: int
    ) -> Shown:
        """What is to be remembered of a list."""
        return cls(
            request_id=request_id,
            user_id=user_id,
            variant=decision.variant,
            assigned_by=decision.assigned_by,
            assignments=decision.assignments,
            diversity=decision.diversity,
            time=time,
            timestamp=timestamp,
            degraded=listed.degraded,
            items=[_item(place) for place in listed.places],
        )


@dataclass(frozen=True)
class Acted:
    """Movies of a list came into view, or one was clicked, at `time`, seconds UTC."""

    kind: Literal["impression", "click"]
    request_id: str
    user_id: str
    movie_ids: list[str]
    time: float

    @classmethod
    def of(cls, event: Event, time: float) -> Acted:
        """What the page reports."""
        return cls(event.kind, event.request_id, event.user_id, list(event.movie_ids), time)


Record = Shown | Acted


def to_line(record: Record) -> bytes:
    """One line of JSON, its end included."""
    kind = {"kind": "list"} if isinstance(record, Shown) else {}
    return orjson.dumps({**kind, **asdict(record)}, option=orjson.OPT_APPEND_NEWLINE)


def from_line(line: bytes) -> Record | None:
    """What `to_line` gave; None for what is no whole record, as a line that was being written in a crash."""
    try:
        content: dict[str, Any] = orjson.loads(line)
        if content["kind"] == "list":
            del content["kind"]
            items = [(*item[:3], tuple(item[3])) for item in content.pop("items")]
            return Shown(**content, items=items)
        content["movie_ids"] = list(map(sys.intern, content["movie_ids"]))  # the same ones over and over
        return Acted(**content)
    except (ValueError, TypeError, LookupError):
        return None


def _item(place: Place) -> tuple[str, float, float | None, tuple[str, ...]]:
    return place.movie_id, place.score, place.prediction, place.channels
