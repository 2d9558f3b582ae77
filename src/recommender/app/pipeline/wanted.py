"""What one list is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from recommender.app.settings import VariantSettings


@dataclass(frozen=True)
class Wanted:
    """A list of `n` movies for a user as of the second `timestamp`.

    `genre` and the years, both included, are filters; `diversity` from 0 (the order alone) to 1; with
    `explain` each place says which liked movies it is most like.
    """

    user_id: str
    n: int
    variant: VariantSettings
    timestamp: int
    genre: str | None = None
    year_from: int | None = None
    year_to: int | None = None
    diversity: float = 0.0
    explain: bool = False
