"""Getting the files of a MovieLens release: found on this machine, else downloaded."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from recommender.data.archives import md5_of, unpack
from recommender.data.movielens import CATALOGUE, Release
from recommender.data.transfer import download, temporary_name
from recommender.errors import ConfigError, DataError

log = logging.getLogger(__name__)

HOME_VARIABLE = "MOVIELENS_HOME"


def fetch(name: str, home: Path, archive: Path | None = None, mirrors: Iterable[str] = ()) -> Path:
    """The folder with the files of the release `name`, which is looked for in this order.

    1. `archive`: an archive fetched by hand, copied to `<home>/raw` so that later runs find it, or a folder
    2. the folder or archive under `$MOVIELENS_HOME`, then under `<home>/raw`
    3. the network, GroupLens first, then known copies, then `mirrors`: addresses of folders with the archives

    Archives are checked against the catalogue's checksum. Raises `DataError` where it cannot be had.
    """
    if name not in CATALOGUE:
        raise ConfigError(f"{name!r} is not a data set to fetch; those are {', '.join(CATALOGUE)}")
    release, raw = CATALOGUE[name], home / "raw"
    if archive is not None:
        return _take(release, archive, raw)
    found = find(name, home) or download(release, raw, mirrors)
    return found if found.is_dir() else unpack(release, found, raw)


def find(name: str, home: Path) -> Path | None:
    """Where this machine has the release `name`: a folder or an archive; None where it has none."""
    release = CATALOGUE[name]
    places = [home / "raw"]
    if os.environ.get(HOME_VARIABLE):
        places.insert(0, Path(os.environ[HOME_VARIABLE]))
        if not places[0].is_dir():
            log.warning("%s names a folder that does not exist: %s", HOME_VARIABLE, places[0])
    candidates = [
        place / entry for place in places for entry in (release.folder, release.name, release.archive)
    ]
    return next((path for path in candidates if path.exists()), None)


def _take(release: Release, archive: Path, raw: Path) -> Path:
    """Unpack an archive fetched by hand and copy it to where later runs look; a folder is taken as it is."""
    if archive.is_dir():
        return archive
    if not archive.is_file():
        raise DataError(f"{archive}: there is no such archive")
    folder = unpack(release, archive, raw)
    target = raw / release.archive
    if not target.exists() or md5_of(target) != md5_of(archive):
        part = temporary_name(target)
        try:
            shutil.copyfile(archive, part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    return folder
