"""`model.tar.gz`: a version as SageMaker's TensorFlow Serving container wants it."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

from recommender.versions import Version


def write_archive(version: Version, model: str, path: Path) -> None:
    """Write `<model>/<number>/saved_model.pb` and all that lies beside it to the archive `path`.

    The container serves every folder that has number folders with a SavedModel under the name of that folder
    (aws/sagemaker-tensorflow-serving-container, tfs_utils.py, find_models). Equal versions make equal bytes:
    names are sorted, times and owners are left out.
    """
    building = path.with_name(f".{path.name}")
    root = f"{model}/{version.number}"
    with (
        building.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        archive.addfile(_folder(model))
        archive.addfile(_folder(root))
        for entry in sorted(version.folder.rglob("*")):
            _add(archive, entry, f"{root}/{entry.relative_to(version.folder).as_posix()}")
    building.replace(path)


def _add(archive: tarfile.TarFile, entry: Path, name: str) -> None:
    if entry.is_dir():
        archive.addfile(_folder(name))
        return
    member = tarfile.TarInfo(name)
    member.size, member.mode = entry.stat().st_size, 0o644
    with entry.open("rb") as content:
        archive.addfile(member, content)


def _folder(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    return member
