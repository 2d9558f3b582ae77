"""MovieLens releases of a few rows, in the very layout of the real ones."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from recommender.data.archives import md5_of
from recommender.data.movielens import CATALOGUE


def _flags(*genres: int) -> str:
    return "|".join("1" if flag in genres else "0" for flag in range(19))


FILES = {
    "ml-100k": {
        "ml-100k/README": "terms of use",
        "ml-100k/u.data": "2\t543\t4\t881250949\n1\t267\t5\t881250949\n2\t1\t1\t881250950\n",
        "ml-100k/u.item": (
            f"1|Toy Story (1995)|01-Jan-1995||http://us.imdb.com/M/title|{_flags(3, 4, 5)}\n"
            f"267|unknown||||{_flags(0)}\n"
            f"543|Misérables, Les |05-Feb-1995||http://us.imdb.com/M|{_flags(8, 12)}\n"
        ),
        "ml-100k/u.user": "1|24|M|technician|85711\n2|53|F|other|T8H1N\n",
    },
    "ml-1m": {
        "ml-1m/ratings.dat": "1::1193::5::978300760\n2::48::3::978300760\n",
        "ml-1m/movies.dat": (
            '48::Pocahontas: "Le Voyage" (1995)::Animation|Children\'s\n'  # quotes are ordinary characters
            "1193::Été, L' (1975)::Drama\n"
        ),
        "ml-1m/users.dat": "1::F::1::10::48067\n2::M::56::16::70072-1234\n",
    },
    "ml-10m": {
        "ml-10M100K/ratings.dat": "1::122::0.5::838985046\n3::122::4.5::838985046\n",
        "ml-10M100K/movies.dat": "122::Été, Un (1992)::(no genres listed)\n",
        "ml-10M100K/tags.dat": "1::122::boring::838985047\n",
    },
    "ml-latest-small": {
        "ml-latest-small/ratings.csv": (
            "userId,movieId,rating,timestamp\n1,3,4.0,964982703\n1,11,0.5,964982703\n"
        ),
        "ml-latest-small/movies.csv": (
            "movieId,title,genres\r\n"
            '3,"Say ""Été"", The (1994) ",Comedy|Drama\r\n'
            "11,Babylon 5,(no genres listed)\r\n"
        ),
    },
}
LATIN_1 = {"u.item", "u.user", "users.dat", "ml-1m/movies.dat"}


def encoded(member: str, text: str) -> bytes:
    """The bytes of a member, in the encoding of the real file."""
    latin = member in LATIN_1 or member.rsplit("/", 1)[-1] in LATIN_1
    return text.encode("latin-1" if latin else "utf-8")


def write_archive(name: str, path: Path, changes: dict[str, str] | None = None) -> Path:
    """Write the tiny archive of a release to `path`; `changes` replaces or adds members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in {**FILES[name], **(changes or {})}.items():
            archive.writestr(member, encoded(member, text))
    return path


def write_folder(name: str, home: Path, changes: dict[str, str] | None = None) -> Path:
    """Write the tiny files of a release under `home`, unpacked; returns the release's folder."""
    for member, text in {**FILES[name], **(changes or {})}.items():
        path = home / member
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(member, text))
    return home / CATALOGUE[name].folder


def pin(monkeypatch: pytest.MonkeyPatch, name: str, archive: Path, *urls: str) -> None:
    """Let the catalogue expect this archive, and download it from `urls`."""
    release = CATALOGUE[name]
    md5 = md5_of(archive) if release.md5 else None
    monkeypatch.setitem(CATALOGUE, name, replace(release, md5=md5, urls=urls or release.urls))
