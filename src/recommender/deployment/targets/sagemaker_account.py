"""An AWS account: the clients of its services, and its complaints in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from recommender.deployment.settings import SageMakerSettings
from recommender.errors import RecommenderError

NO_CREDENTIALS = "no AWS credentials found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


class Account:
    """Who the environment says we are, in one region."""

    def __init__(self, settings: SageMakerSettings) -> None:
        """Nothing is asked yet."""
        from boto3.session import Session

        self._endpoint_url = settings.endpoint_url
        with in_one_line("AWS"):
            self._session = Session(region_name=settings.region)

    def client(self, service: str) -> Any:
        """A client of `s3`, `sagemaker` or `sagemaker-runtime`."""
        with in_one_line("AWS"):
            return self._session.client(service, endpoint_url=self._endpoint_url)

    def check_credentials(self) -> None:
        """Raise where there are none."""
        with in_one_line("AWS"):
            found = self._session.get_credentials()
        if found is None:
            raise RecommenderError(f"{NO_CREDENTIALS}, or only render with --dry-run")


@contextmanager
def in_one_line(what: str) -> Iterator[None]:
    """Turn whatever boto3 raises into a `RecommenderError`; `what` says what was tried."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except NoCredentialsError:
        raise RecommenderError(NO_CREDENTIALS) from None
    except ClientError as error:
        found = error.response.get("Error", {})
        raise RecommenderError(
            f"{what}: {found.get('Code', 'error')}: {_line(found.get('Message'))}"
        ) from None
    except (BotoCoreError, Boto3Error) as error:
        raise RecommenderError(f"{what}: {_line(error)}") from None


def is_missing(error: Any) -> bool:
    """Whether a `ClientError` says that something is not there; each service has its own words for that."""
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    return code in ("404", "NoSuchKey", "NoSuchBucket") or message.startswith("Could not find")


def _line(text: object) -> str:
    return " ".join(str(text).split())
