"""The MovieLens releases as data: where each comes from, its checksum, its layout and its size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recommender.data.layouts import ML_1M, ML_10M, ML_100K, ML_CSV, FileLayout, Layout
from recommender.data.sources import Counts, DelimitedFile, RawTable, Source
from recommender.errors import DataError

GROUPLENS = "https://files.grouplens.org/datasets/movielens"
# Byte-identical copies of four archives, kept by the Recommenders project; their checksums are pinned.
COPIES = "https://huggingface.co/datasets/Recommenders/MovieLens/resolve/main"


@dataclass(frozen=True)
class Release:
    """One MovieLens data set. `md5` is None where GroupLens replaces the archive from time to time."""

    name: str
    urls: tuple[str, ...]
    md5: str | None
    folder: str  # inside the archive
    layout: Layout
    counts: Counts

    @property
    def archive(self) -> str:
        """File name of the archive."""
        return self.urls[0].rsplit("/", 1)[-1]


def _release(
    name: str,
    md5: str | None,
    layout: Layout,
    counts: Counts,
    folder: str | None = None,
    copied: bool = False,
) -> Release:
    bases = (GROUPLENS, COPIES) if copied else (GROUPLENS,)
    return Release(name, tuple(f"{base}/{name}.zip" for base in bases), md5, folder or name, layout, counts)


CATALOGUE = {
    release.name: release
    for release in (
        _release(
            "ml-100k", "0e33842e24a9c977be4e0107933c0723", ML_100K, Counts(943, 1_682, 100_000), copied=True
        ),
        _release(
            "ml-1m", "c4d9eecfca2ab87c1945afe126590906", ML_1M, Counts(6_040, 3_883, 1_000_209), copied=True
        ),
        _release(
            *("ml-10m", "ce571fd55effeba0271552578f2648bd", ML_10M, Counts(69_878, 10_681, 10_000_054)),
            folder="ml-10M100K",
            copied=True,
        ),
        _release(
            "ml-20m",
            "cd245b17a1ae2cc31bb14903e1204af3",
            ML_CSV,
            Counts(138_493, 27_278, 20_000_263),
            copied=True,
        ),
        _release("ml-25m", "6b51fb2759a8657d3bfcbfc42b592ada", ML_CSV, Counts(162_541, 62_423, 25_000_095)),
        _release("ml-32m", "d472be332d4daa821edc399621853b57", ML_CSV, Counts(200_948, 87_585, 32_000_204)),
        # The two that change: the sizes are those of September 2018 and of July 2023.
        _release("ml-latest-small", None, ML_CSV, Counts(610, 9_742, 100_836)),
        _release("ml-latest", None, ML_CSV, Counts(330_975, 86_537, 33_832_162)),
    )
}


def source(release: Release, folder: Path) -> Source:
    """The release's files in `folder`, ready to be read; raises `DataError` where one is missing."""
    layout = release.layout
    for file in layout.needed():
        if not (folder / file.file).is_file():
            raise DataError(f"{folder}: {release.name} needs the file {file.file}, and it is not there")
    return Source(
        name=release.name,
        ratings=_table(layout.ratings, folder),
        movies=_table(layout.movies, folder),
        users=_table(layout.users, folder) if layout.users else None,
        rating_scale=layout.rating_scale,
        rating_step=layout.rating_step,
        counts=release.counts if release.md5 else None,
    )


def links(release: Release, folder: Path) -> RawTable | None:
    """The release's links to pages about its movies; None where it has none or their file was not kept."""
    layout = release.layout.links
    return _table(layout, folder) if layout and (folder / layout.file).is_file() else None


def _table(layout: FileLayout, folder: Path) -> RawTable:
    path = folder / layout.file
    if layout.header:
        _check_header(path, ",".join(layout.columns))
    file = DelimitedFile(path, layout.columns, layout.delimiter, layout.quote, layout.encoding, layout.header)
    return RawTable(file, layout.select)


def _check_header(path: Path, expected: str) -> None:
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        found = lines.readline().rstrip("\r\n")
    if found != expected:
        raise DataError(f"{path}, line 1: the header must be {expected!r}, received {found!r}")
