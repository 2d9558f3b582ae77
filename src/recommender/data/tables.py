"""The canonical tables of a data set: `ratings`, `movies`, `users` and `links`, as Parquet.

| table | columns |
|---|---|
| ratings | row int64, user_id string, movie_id string, rating float32, timestamp int64 |
| movies | movie_id string, title string, genres list of string, release_year int32 |
| users | user_id string, gender string, age int32, occupation string, zip_code string |
| links | movie_id string, imdb_url string, tmdb_url string |

Rows are numbered from 0 in the order of the file; times are seconds since 1970 UTC. The release year may be
null, and of a user everything but the id. Every user with a rating has a row in `users`, every movie with a
rating one in `movies`. `links` names pages about movies, for people to open; it has no rows where the data
has no links.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from recommender.config import DataSettings, Settings
from recommender.data import custom, movielens, synthetic
from recommender.data.canonical import write_canonical_tables
from recommender.data.download import fetch
from recommender.data.folders import complete_or_absent
from recommender.data.links import hash_of, write_links
from recommender.data.sources import Counts, RawTable, Source
from recommender.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

TableName = Literal["ratings", "movies", "users", "links"]
LAYOUT = 2  # counts up when what is written changes, so that older folders are not reused
RECORD = "tables.json"


@dataclass(frozen=True)
class Tables:
    """The canonical tables in a folder, and what is known of their source."""

    folder: Path

    @property
    def ratings(self) -> Path:
        """Path of the ratings."""
        return self.folder / "ratings.parquet"

    @property
    def movies(self) -> Path:
        """Path of the movies."""
        return self.folder / "movies.parquet"

    @property
    def users(self) -> Path:
        """Path of the users."""
        return self.folder / "users.parquet"

    def read(self, name: TableName) -> pd.DataFrame:
        """One table as a frame."""
        import pandas as pd

        return pd.read_parquet(self.folder / f"{name}.parquet")

    @cached_property
    def _record(self) -> dict[str, Any]:
        return json.loads((self.folder / RECORD).read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        """The data set, as in `ml-100k`."""
        return self._record["name"]

    @property
    def rating_scale(self) -> tuple[float, float]:
        """Lowest and highest possible rating."""
        low, high = self._record["rating_scale"]
        return low, high

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the source files, or of the generator's version, sizes and seed."""
        return self._record["fingerprint"]

    @property
    def key(self) -> str:
        """A hash of the fingerprint and of every setting that the tables depend on."""
        return self._record["key"]

    @property
    def dropped(self) -> dict[str, int]:
        """How many rows each rule has dropped, as `{"ratings.rating_off_step": 2}`."""
        return self._record["dropped"]

    @property
    def counts(self) -> Counts:
        """How many users, movies and ratings there are."""
        return Counts(**self._record["counts"])

    @property
    def is_synthetic(self) -> bool:
        """Whether a generator made the data."""
        return self._record["name"] == synthetic.NAME


def load_tables(settings: Settings) -> Tables:
    """Find, download or generate the data set of `settings.data`, check it and write its canonical tables.

    The folder is `<home>/prepared/<dataset>/tables-<key>/`, where the key stands for the source and for every
    setting that the tables depend on; an equal one is reused. Raises `DataError` for data that cannot be had
    or read or has bad rows, `ConfigError` for a data set that does not exist.
    """
    data = settings.data
    if data.dataset == synthetic.NAME:
        fingerprint = synthetic.fingerprint(data.synthetic, settings.seed)
        key = _key(data, fingerprint)
        return _reuse_or_build(data, key, fingerprint, lambda folder: _generate(settings, folder))
    source, links = _source(data)
    fingerprint = source.fingerprint()
    key = _key(data, fingerprint, hash_of(links))
    return _reuse_or_build(data, key, fingerprint, lambda folder: _convert(source, links, data, folder))


def _source(data: DataSettings) -> tuple[Source, RawTable | None]:
    """The raw data set and, where it has them, its links."""
    if data.dataset == custom.NAME:
        return custom.source(data.custom), None
    if data.dataset not in movielens.CATALOGUE:
        names = ", ".join([*movielens.CATALOGUE, synthetic.NAME, custom.NAME])
        raise ConfigError(f"data.dataset: must be one of {names}, received {data.dataset!r}")
    folder = fetch(data.dataset, data.home, data.archive, data.mirrors)
    release = movielens.CATALOGUE[data.dataset]
    return movielens.source(release, folder), movielens.links(release, folder)


def _generate(settings: Settings, folder: Path) -> dict[str, Any]:
    data = synthetic.generate(settings.data.synthetic, settings.seed)
    synthetic.write(data, folder)
    write_links(None, folder)
    return {"rating_scale": synthetic.RATING_SCALE, "dropped": {}}


def _convert(source: Source, links: RawTable | None, data: DataSettings, folder: Path) -> dict[str, Any]:
    dropped = write_canonical_tables(source, folder, data.on_bad_rows)
    write_links(links, folder)
    for rule, count in dropped.items():
        log.warning("%s: dropped %d bad rows by the rule %s", source.name, count, rule)
    counts = _count(folder)
    if source.counts and counts != source.counts:
        log.warning("%s: expected %s, found %s", source.name, source.counts, counts)
    return {"rating_scale": source.rating_scale, "dropped": dropped}


def _count(folder: Path) -> Counts:
    import pyarrow.parquet as pq

    rows = {
        name: pq.read_metadata(folder / f"{name}.parquet").num_rows for name in ("users", "movies", "ratings")
    }
    return Counts(**rows)


def _reuse_or_build(
    data: DataSettings, key: str, fingerprint: str, build: Callable[[Path], dict[str, Any]]
) -> Tables:
    """The tables for the data and settings; where there are none, `build(folder)` writes them.

    It returns what to record of them.
    """
    final = data.home / "prepared" / data.dataset / f"tables-{key}"
    if not final.exists():
        with complete_or_absent(final) as folder:
            record = build(folder)
            record |= {"name": data.dataset, "key": key, "fingerprint": fingerprint}
            record["counts"] = vars(_count(folder))
            (folder / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
    return Tables(final)


def _key(data: DataSettings, fingerprint: str, links: str | None = None) -> str:
    """A hash of the source, of its links' hash and of the settings."""
    depends_on: list[Any] = [LAYOUT, data.dataset, fingerprint, links]
    if data.dataset != synthetic.NAME:
        depends_on.append(data.on_bad_rows)
    if data.dataset == custom.NAME:
        depends_on.append(data.custom.model_dump(mode="json", include={"columns", "rating_scale"}))
    return hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()[:16]
