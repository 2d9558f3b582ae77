"""The present second, for lists and for ratings that come without one."""

from __future__ import annotations

import time
from typing import Literal

from recommender.app.application.shelves import Shelves


class Clock:
    """Tells the time of `wall`, or of the `data`: where it ended at the push, and has gone on since.

    By the wall, the users of an old data set would all have been away for decades, which no model has
    learned anything about.
    """

    def __init__(self, kind: Literal["wall", "data"]) -> None:
        self._kind = kind

    def now(self, shelves: Shelves) -> int:
        """The present second, never before a rating that the store had when it was pushed or first asked.

        A push turns the clock of the data back to where the data ends, but keeps the ratings given since.
        """
        wall = int(time.time())
        if self._kind == "wall":
            return wall
        catalogue = shelves.catalogue
        return max(catalogue.ends_at + max(0, wall - catalogue.pushed_at), shelves.last_live_rating)
