"""Uploading a version's archive to S3, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recommender.checksums import sha256_of
from recommender.deployment.targets.sagemaker_account import in_one_line, is_missing
from recommender.errors import RecommenderError

DIGEST = "sha256"


def check_bucket(s3: Any, bucket: str) -> None:
    """Raise `RecommenderError` where the bucket is not there or not ours to use."""
    from botocore.exceptions import ClientError

    with in_one_line(f"s3://{bucket}"):
        try:
            s3.head_bucket(Bucket=bucket)
        except ClientError as error:
            if not is_missing(error):
                raise
            raise RecommenderError(f"sagemaker.bucket: there is no bucket s3://{bucket}") from None


def upload(s3: Any, archive: Path, bucket: str, key: str) -> None:
    """Make `archive` readable at `s3://bucket/key`; nothing is sent where it is there already.

    S3 shows an object when it is complete, also one that is sent in parts, and checks each part's checksum,
    so no temporary key is needed. Raises `RecommenderError` where another archive has the key: a version
    never changes.
    """
    digest = sha256_of(archive)
    place = f"s3://{bucket}/{key}"
    with in_one_line(place):
        there = _digest(s3, bucket, key)
        if there is None:
            extra = {"ChecksumAlgorithm": "SHA256", "Metadata": {DIGEST: digest}}
            s3.upload_file(str(archive), bucket, key, ExtraArgs=extra)
            there = _digest(s3, bucket, key)
    if there != digest:
        raise RecommenderError(
            f"{place}: holds another archive with this version's number; a version never changes, "
            "so publish the model under a new number or delete that archive"
        )


def _digest(s3: Any, bucket: str, key: str) -> str | None:
    """The SHA-256 that was stored with an object; None where there is no object."""
    from botocore.exceptions import ClientError

    try:
        return s3.head_object(Bucket=bucket, Key=key)["Metadata"].get(DIGEST, "unknown")
    except ClientError as error:
        if is_missing(error):
            return None
        raise
