"""Section `features` of benchmarks/scale.py: canonical tables to features and snapshots."""

from __future__ import annotations

import shutil
from typing import Any

from recommender.config import Settings
from recommender.data.prepare import prepare
from recommender.data.tables import load_tables

OVERRIDES = ("data.memory_limit=2GB",)
VARIANTS: dict[str, tuple[str, ...]] = {"duckdb": ()}
COLUMNS = {
    "ratings": ",",
    "seconds": ",.1f",
    "cpu_seconds": ",.1f",
    "cpu_us_per_rating": ".1f",
    "peak_gb": ".2f",
    "load": ".1f",
    "disk_gb": ".2f",
}


def setup(settings: Settings) -> None:
    """The canonical tables, and no preparation of them."""
    tables = load_tables(settings)
    for folder in tables.folder.parent.iterdir():
        if not folder.name.startswith("tables-"):
            shutil.rmtree(folder)


def work(settings: Settings) -> dict[str, Any]:
    """Prepare; says how much disk the result takes."""
    folder = prepare(settings).folder
    return {"disk_gb": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**30}
