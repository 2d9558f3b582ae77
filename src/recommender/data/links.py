"""Links from movies to pages about them, where a release has them: one more canonical table."""

from __future__ import annotations

import logging
from pathlib import Path

import duckdb

from recommender.checksums import sha256_of
from recommender.data.sources import RawTable, literal
from recommender.errors import DataError

log = logging.getLogger(__name__)

URLS = ("imdb_url", "tmdb_url")


def write_links(links: RawTable | None, folder: Path) -> None:
    """Write `links.parquet` into `folder`: movie_id, imdb_url, tmdb_url; no rows where there are no links.

    What is no address of the web becomes null, since pages make links of it. Lines that cannot be read are
    left out with a warning: no model needs them. Raises `DataError` for a file that cannot be read at all.
    """
    target = literal(folder / "links.parquet")
    with duckdb.connect() as connection:
        try:
            connection.execute(f"COPY ({_query(links)}) TO {target} (FORMAT parquet, COMPRESSION zstd)")
        except duckdb.Error as error:
            where = links.file.path if links else folder
            raise DataError(f"{where}: cannot be read: {str(error).splitlines()[0]}") from None
        if links:
            lines = connection.execute("SELECT count(DISTINCT line) FROM links_rejects").fetchone()
            if lines and lines[0]:
                log.warning("%s: left out %d lines that cannot be read", links.file.path, lines[0])


def hash_of(links: RawTable | None) -> str | None:
    """SHA-256 of the bytes of the file; None where there are no links."""
    return None if links is None else sha256_of(links.file.path)


def _query(links: RawTable | None) -> str:
    """One row for each movie; of several links of one kind the first in the alphabet."""
    if links is None:
        columns = ", ".join(f"CAST(NULL AS VARCHAR) AS {name}" for name in ("movie_id", *URLS))
        return f"SELECT {columns} WHERE false"
    raw = ", ".join(f"{links.select.get(name, 'NULL')} AS {name}" for name in ("movie_id", *URLS))
    chosen = ", ".join(f"min({url}) FILTER (regexp_matches({url}, '^https?://')) AS {url}" for url in URLS)
    rows = f"SELECT {raw} FROM {links.file.relation('links_rejects')}"
    return f"SELECT movie_id, {chosen} FROM ({rows}) WHERE movie_id IS NOT NULL GROUP BY movie_id ORDER BY 1"
