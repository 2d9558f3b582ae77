"""Downloading the archive of a MovieLens release."""

from __future__ import annotations

import logging
import os
import re
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path

import requests
from tqdm import tqdm

from recommender.data.archives import md5_of
from recommender.data.movielens import Release
from recommender.errors import DataError

log = logging.getLogger(__name__)

ATTEMPTS = 4
BACK_OFF = 1.0  # seconds before the second attempt, doubled before each further one
TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two pieces of the body
WORTH_RETRYING = {408, 425, 429, 500, 502, 503, 504}


class _AttemptError(Exception):
    """Why one attempt failed, and whether the next may succeed."""

    def __init__(self, reason: str, retry: bool) -> None:
        super().__init__(reason)
        self.retry = retry


def download(release: Release, raw: Path, mirrors: Iterable[str] = ()) -> Path:
    """Download the archive of a release to `raw`, from the first address that yields it whole.

    It is written under a temporary name and renamed after its checksum was found right. Raises `DataError`
    with what went wrong at each address. Certificates are always verified.
    """
    urls = [*release.urls, *(f"{mirror.rstrip('/')}/{release.archive}" for mirror in mirrors)]
    target = raw / release.archive
    part = temporary_name(target)
    failures = []
    try:
        raw.mkdir(parents=True, exist_ok=True)
        for url in urls:
            try:
                _attempt_repeatedly(release, url, part)
            except _AttemptError as error:
                failures.append(f"{url}: {error}")
                log.warning("%s could not be downloaded from %s", release.name, failures[-1])
            else:
                part.replace(target)
                return target
    except OSError as error:
        raise DataError(f"{target}: cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    raise DataError(
        f"{release.name} could not be downloaded ({'; '.join(failures)}). Fetch {release.archive} with a "
        f"browser, from {release.urls[0]} or elsewhere, then: "
        f"recommender fetch {release.name} --archive {release.archive}"
    )


def _attempt_repeatedly(release: Release, url: str, part: Path) -> None:
    """Download one address to `part`, again after passing failures; raises `_AttemptError`."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _attempt(url, part)
            _check(release, part)
            return
        except _AttemptError as error:
            if not error.retry or attempt == ATTEMPTS:
                raise
            wait = BACK_OFF * 2 ** (attempt - 1)
            log.warning("%s: %s; trying again in %g s", url, error, wait)
            time.sleep(wait)


def _check(release: Release, part: Path) -> None:
    """Raise `_AttemptError` unless the archive came: a hotel's network answers with a page and 200."""
    md5 = md5_of(part)
    if release.md5 not in (None, md5):
        raise _AttemptError(f"md5 must be {release.md5}, received {md5}", retry=False)
    if not zipfile.is_zipfile(part):
        raise _AttemptError("what came is not a zip archive", retry=False)


def _attempt(url: str, part: Path) -> None:
    """Download one address to `part` once; raises `_AttemptError`."""
    try:
        with requests.get(url, stream=True, timeout=TIMEOUT) as response:
            if response.status_code != requests.codes.ok:
                status = f"{response.status_code} {response.reason}"
                raise _AttemptError(status, response.status_code in WORTH_RETRYING)
            _save(response, part)
    except requests.exceptions.SSLError as error:
        raise _AttemptError(_certificate_trouble(error), retry=False) from None
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
        raise _AttemptError(f"the connection failed ({type(error).__name__})", retry=True) from None
    except requests.RequestException as error:
        raise _AttemptError(str(error), retry=False) from None


def _save(response: requests.Response, part: Path) -> None:
    """Write the body to `part`, with a progress bar on a terminal."""
    size = int(response.headers.get("Content-Length", 0))
    bar = tqdm(
        total=size or None,
        unit="B",
        unit_scale=True,
        desc=part.name.split(".zip")[0].strip("."),
        disable=None,
    )
    with bar, part.open("wb") as file:
        for piece in response.iter_content(1 << 20):
            file.write(piece)
            bar.update(len(piece))


def _certificate_trouble(error: Exception) -> str:
    """What a user should know of a TLS failure."""
    reason = re.search(r"certificate verify failed: ([^(\]]+)", str(error))
    why = f" ({reason[1].strip()})" if reason else ""
    return (
        f"the server's TLS certificate could not be verified{why}, so nothing was taken from it. "
        "GroupLens' own has expired more than once: wait for its renewal or fetch the archive by hand"
    )


def temporary_name(target: Path) -> Path:
    """A temporary name beside `target`, of this process."""
    return target.with_name(f".{target.name}.{os.getpid()}.part")
