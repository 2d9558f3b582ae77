"""The smoke request that goes with a version, and the exported model's own answer to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from recommender.data.prepared import Prepared
from recommender.smoke import SMOKE_FILE, ask_saved_model

ROWS = 4
UNKNOWN_USER = "somebody who is not in the data"


def write_smoke(prepared: Prepared, folder: Path) -> None:
    """Write `smoke.json` beside the SavedModel in `folder`, which is loaded and asked for it."""
    request = {"instances": smoke_rows(prepared)}
    content = {"request": request, "predictions": ask_saved_model(folder, request)}
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / SMOKE_FILE).write_text(text + "\n", encoding="utf-8")


def smoke_rows(prepared: Prepared) -> list[dict[str, Any]]:
    """A few pairs of the data, from its first to its last, and the last again for a user never seen."""
    interactions = prepared.interactions
    user_ids, titles = prepared.users["user_id"], prepared.movies["title"]
    rows = [
        {
            "user_id": str(user_ids.iloc[interactions.user[row]]),
            "movie_title": str(titles.iloc[interactions.movie[row]]),
            "timestamp": int(interactions.timestamp[row]),
        }
        for row in np.linspace(0, len(interactions) - 1, ROWS).astype(int)
    ]
    return [*rows, {**rows[-1], "user_id": UNKNOWN_USER}]
