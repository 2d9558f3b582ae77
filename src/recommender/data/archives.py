"""Archives of MovieLens releases: checked against the catalogue and unpacked safely."""

from __future__ import annotations

import hashlib
import logging
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from recommender.data.folders import complete_or_absent
from recommender.data.movielens import Release
from recommender.errors import DataError

log = logging.getLogger(__name__)


def md5_of(path: Path) -> str:
    """MD5 of a file, in hexadecimal; it finds damage, and GroupLens publishes no other."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()


def verify(release: Release, archive: Path) -> str:
    """The archive's MD5; raises `DataError` where it is not the one of a release that never changes."""
    md5 = md5_of(archive)
    if release.md5 not in (None, md5):
        raise DataError(
            f"{archive}: not the archive of {release.name}, or damaged: "
            f"md5 must be {release.md5}, received {md5}"
        )
    return md5


def unpack(release: Release, archive: Path, raw: Path) -> Path:
    """Unpack the tables of a release into `raw` and return their folder; an equal archive is unpacked once.

    Only the tables and the README are taken. Raises `DataError` for an archive that is damaged, lacks the
    tables, or has a member that would leave the folder.
    """
    md5 = verify(release, archive)
    target = raw / f"{release.name}-{md5[:8]}"
    if target.is_dir():
        return target
    if release.md5 is None:
        log.warning(
            "%s changes from time to time, so no checksum is known for it; this one: %s", release.name, md5
        )
    with complete_or_absent(target) as folder:
        _extract(release, archive, folder)
    return target


def _extract(release: Release, archive: Path, folder: Path) -> None:
    """Write the wanted members flat into `folder`."""
    try:
        with zipfile.ZipFile(archive) as members:
            for member in members.infolist():
                _refuse_unsafe(archive, member)
            root = _root(release, archive, members)
            wanted = {file.file for file in release.layout.files()}
            for member in members.infolist():
                path = PurePosixPath(member.filename)
                if path.parent == root and (path.name in wanted or path.name.startswith("README")):
                    with members.open(member) as source, (folder / path.name).open("wb") as target:
                        shutil.copyfileobj(source, target, 1 << 20)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DataError(f"{archive}: the archive is damaged: {error}; delete it and fetch it again") from None


def _refuse_unsafe(archive: Path, member: zipfile.ZipInfo) -> None:
    """Raise `DataError` for a member that would be written elsewhere or is a link."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise DataError(f"{archive}: refused, since a member would be written outside: {member.filename!r}")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise DataError(f"{archive}: refused, since a member is a link: {member.filename!r}")


def _root(release: Release, archive: Path, members: zipfile.ZipFile) -> PurePosixPath:
    """The folder within the archive that holds the ratings; of several the uppermost."""
    ratings = release.layout.ratings.file
    found = [path.parent for name in members.namelist() if (path := PurePosixPath(name)).name == ratings]
    if not found:
        raise DataError(f"{archive}: {release.name} needs the file {ratings}, and the archive has none")
    return min(found, key=lambda parent: len(parent.parts))
