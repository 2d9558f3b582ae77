"""Folders in an S3-compatible storage: numbered, whole or not to be seen, never changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from recommender.checksums import sha256_of
from recommender.data.folders import complete_or_absent
from recommender.deployment.targets.sagemaker_account import in_one_line
from recommender.errors import RecommenderError

CONNECT_SECONDS = 10  # a storage that cannot be reached is told within a minute
TAKEN = ("PreconditionFailed", "ConditionalRequestConflict")


@dataclass(frozen=True)
class Storage:
    """`s3://bucket/prefix`, on Amazon or at another endpoint; credentials are those of the environment.

    A folder is `<prefix>/<name>/<number>/`. Beside it `<number>.claim` is written first, so that two writers
    get two numbers (a conditional write), and `<number>.json` last, with each file's SHA-256: a
    folder without it is not there for any reader. Errors are `RecommenderError` with one line.
    """

    url: str
    endpoint: str | None = None

    def put(self, files: Mapping[str, Path], name: str) -> int:
        """Keep files under their relative paths as the next folder of a name; returns its number."""
        with in_one_line(f"{self.url}/{name}"):
            number = self._claim(name)
            whole = {}
            for path, file in files.items():
                whole[path] = sha256_of(file)
                self._client.upload_file(str(file), self._bucket, self._key(name, f"{number}/{path}"))
            self._write(name, f"{number}.json", json.dumps(whole))
        return number

    def fetch(self, name: str, folder: Path, number: int | None = None) -> None:
        """Make `folder` hold what the newest whole folder of a name holds, or the one with this number.

        What was there before goes; it appears when all files have come with the right checksums.
        """
        with in_one_line(f"{self.url}/{name}"):
            number = self.newest(name) if number is None else number
            if number is None:
                raise RecommenderError(f"{self.url}/{name}: no whole folder there")
            shutil.rmtree(folder, ignore_errors=True)
            with complete_or_absent(folder) as building:
                for path, sha256 in self._marker(name, number).items():
                    self._download(self._key(name, f"{number}/{path}"), building / path, sha256)

    def newest(self, name: str) -> int | None:
        """The highest number of a whole folder; None where there is none."""
        with in_one_line(f"{self.url}/{name}"):
            return max(self._numbers(name, ".json"), default=None)

    def _claim(self, name: str) -> int:
        """A number that no other writer has."""
        from botocore.exceptions import ClientError

        number = max(self._numbers(name, ".claim"), default=0) + 1
        while True:
            try:
                self._write(name, f"{number}.claim", "", IfNoneMatch="*")
            except ClientError as error:
                if error.response["Error"]["Code"] not in TAKEN:
                    raise
                number += 1
            else:
                return number

    def _numbers(self, name: str, suffix: str) -> list[int]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._key(name, ""), Delimiter="/"
        )
        entries = [Path(entry["Key"]) for page in pages for entry in page.get("Contents", [])]
        return [int(entry.stem) for entry in entries if entry.suffix == suffix and entry.stem.isdigit()]

    def _marker(self, name: str, number: int) -> dict[str, str]:
        key = self._key(name, f"{number}.json")
        return json.load(self._client.get_object(Bucket=self._bucket, Key=key)["Body"])

    def _download(self, key: str, file: Path, sha256: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._client.download_file(self._bucket, key, str(file))
        received = sha256_of(file)
        if received != sha256:
            raise RecommenderError(
                f"s3://{self._bucket}/{key}: SHA-256 must be {sha256}, received {received}"
            )

    def _write(self, name: str, path: str, text: str, **conditions: str) -> None:
        body = text.encode()
        self._client.put_object(Bucket=self._bucket, Key=self._key(name, path), Body=body, **conditions)

    def _key(self, name: str, path: str) -> str:
        prefix = self.url.removeprefix("s3://").partition("/")[2]
        return "/".join(part for part in (prefix, name) if part) + f"/{path}"

    @property
    def _bucket(self) -> str:
        return self.url.removeprefix("s3://").partition("/")[0]

    @cached_property
    def _client(self) -> Any:
        from boto3.session import Session
        from botocore.config import Config

        limits = Config(connect_timeout=CONNECT_SECONDS, retries={"max_attempts": 3})
        return Session().client("s3", endpoint_url=self.endpoint, config=limits)


def files_in(place: Path) -> dict[str, Path]:
    """A file by its name, or a folder's files by their relative paths; without those that begin with a dot,
    which are locks and what is still being written."""
    if place.is_file():
        return {place.name: place}
    paths = sorted(path for path in place.rglob("*") if path.is_file())
    relative = {path.relative_to(place): path for path in paths}
    return {
        name.as_posix(): path
        for name, path in relative.items()
        if not any(part.startswith(".") for part in name.parts)
    }
