"""Reading the event log: all records in order, and the table for the next training and for metrics."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from recommender.app.events.records import Record, Shown, from_line

if TYPE_CHECKING:
    import pandas as pd

DAY = len("2026-01-31")
Places = dict[str, int]  # how many bytes of each file, by its name


def read_records(folder: Path) -> Iterator[Record]:
    """All records by time, day after day; lines that are not whole are skipped."""
    yield from read_on(folder, {})


def read_on(folder: Path, places: Places) -> Iterator[Record]:
    """The records after `places`, which move on with what is read; a line without an end stays unread."""
    files = sorted(folder.glob("*.jsonl"))
    for _, of_day in itertools.groupby(files, key=lambda path: path.name[:DAY]):
        yield from heapq.merge(*(_read(path, places) for path in of_day), key=lambda record: record.time)


def shown_movies(folder: Path) -> pd.DataFrame:
    """A row for each movie of each list, in the order in which they were shown.

    `request_id`, `user_id`, `variant`, `assigned_by`, `time`, `timestamp`; `place` from 1; `movie_id`,
    `score`, `prediction` (NaN = not asked), `channels` (a list), `degraded` (whether something was left out);
    `seen` and `clicked`, whether it was reported that the movie came into view or was clicked. A clicked one
    counts as seen. Everything is in memory at once, about a kilobyte a row.
    """
    import pandas as pd

    rows: dict[tuple[str, str], dict] = {}
    for record in read_records(folder):
        if isinstance(record, Shown):
            rows |= {(record.request_id, row["movie_id"]): row for row in _rows(record)}
            continue
        for movie_id in record.movie_ids:
            row = rows.get((record.request_id, movie_id))
            if row is not None and row["user_id"] == record.user_id:
                row["seen"] = True
                row["clicked"] |= record.kind == "click"
    return pd.DataFrame(list(rows.values()), columns=COLUMNS)


COLUMNS = [
    *("request_id", "user_id", "variant", "assigned_by", "time", "timestamp", "place"),
    *("movie_id", "score", "prediction", "channels", "degraded", "seen", "clicked"),
]


def _rows(shown: Shown) -> Iterator[dict]:
    for place, (movie_id, score, prediction, channels) in enumerate(shown.items, start=1):
        yield {
            "request_id": shown.request_id,
            "user_id": shown.user_id,
            "variant": shown.variant,
            "assigned_by": shown.assigned_by,
            "time": shown.time,
            "timestamp": shown.timestamp,
            "place": place,
            "movie_id": movie_id,
            "score": score,
            "prediction": prediction,
            "channels": list(channels),
            "degraded": bool(shown.degraded),
            "seen": False,
            "clicked": False,
        }


def _read(path: Path, places: Places) -> Iterator[Record]:
    place = places.get(path.name, 0)
    with path.open("rb") as file:
        file.seek(place)
        for line in file:
            if not line.endswith(b"\n"):
                return
            place += len(line)
            places[path.name] = place
            record = from_line(line)
            if record is not None:
                yield record
