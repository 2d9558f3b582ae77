"""Parameters that several routes share, each with its rule and its description."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

LONGEST_ID = 200  # characters
MOST = 100  # movies in one answer

MovieId = Annotated[str, Path(max_length=LONGEST_ID, description="The movie's id, as in the data.")]
UserId = Annotated[str, Path(max_length=LONGEST_ID, description="The user's id, as in the data.")]
Number = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
Year = Annotated[int | None, Query(ge=1800, le=2200)]
