"""The sagemaker target: an endpoint of Amazon SageMaker with its TensorFlow Serving container."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from recommender.client import VersionStatus
from recommender.deployment.targets.sagemaker_account import Account, in_one_line
from recommender.deployment.targets.sagemaker_archive import write_archive
from recommender.deployment.targets.sagemaker_endpoint import (
    BUSY,
    IN_SERVICE,
    POLL_SECONDS,
    Endpoint,
    problem,
)
from recommender.deployment.targets.sagemaker_requests import (
    EndpointRequests,
    archive_key,
    check_requests,
    endpoint_requests,
)
from recommender.deployment.targets.sagemaker_upload import check_bucket, upload
from recommender.deployment.targets.target import Files, Target
from recommender.errors import RecommenderError
from recommender.versions import Version

ARCHIVE = "model.tar.gz"


class SageMakerTarget(Target):
    """An endpoint that is updated from one configuration to another.

    `details` hold the version and the configuration that were asked for last, and the names of all models and
    configurations that were made.
    """

    def files(self, version: Version) -> Files:
        """The requests, as JSON; the archive is made by `apply`."""
        return self._requests(version).files()

    def validate(self, files: Files) -> None:
        """Check the requests against SageMaker's own definitions of them."""
        check_requests(self.settings, files)

    def commands(self, version: Version) -> list[str]:
        """What `apply` does through boto3, as the AWS CLI does it."""
        sagemaker, folder = self.settings.sagemaker, self.folder
        place = f"s3://{sagemaker.bucket}/{archive_key(self.settings, version.number)}"
        model, config, endpoint = (
            f"--cli-input-json file://{shlex.quote(str(folder / name))}"
            for name in self._requests(version).files()
        )
        # The version's folder becomes <model>/<number> in there.
        naming = shlex.quote(f"--transform=s,^[.],{self.settings.workflow.name}/{version.number},")
        archive = shlex.quote(str(folder / ARCHIVE))
        aws = f"aws --region {sagemaker.region}"
        return [
            f"tar --sort=name -czf {archive} {naming} -C {shlex.quote(str(version.folder))} .",
            f"{aws} s3 cp {archive} {place}",
            f"{aws} sagemaker create-model {model}",
            f"{aws} sagemaker create-endpoint-config {config}",
            f"{aws} sagemaker create-endpoint {endpoint}  # or update-endpoint where it is there",
        ]

    def check_engine(self) -> None:
        """Raise where there are no credentials, or no bucket that they may use."""
        self._account.check_credentials()
        check_bucket(self._account.client("s3"), self.settings.sagemaker.bucket)

    def apply(self, version: Version) -> None:
        """Upload the version, make its model and configuration, and create or update the endpoint."""
        requests, archive = self._requests(version), self.folder / ARCHIVE
        write_archive(version, self.settings.workflow.name, archive)
        key = archive_key(self.settings, version.number)
        upload(self._account.client("s3"), archive, self.settings.sagemaker.bucket, key)
        if self._endpoint.make_model(requests.model):
            self._made("models", requests.model["ModelName"])
        if self._endpoint.make_config(requests.config):
            self._made("configs", requests.config["EndpointConfigName"])
        self._endpoint.change(requests.endpoint)
        self.details |= {"version": version.number, "config": requests.config["EndpointConfigName"]}

    def is_running(self) -> bool:
        """Whether the endpoint is there and has not failed."""
        found = self._endpoint.describe()
        return found is not None and found["EndpointStatus"] in {IN_SERVICE, *BUSY}

    def stop(self) -> None:
        """Delete the endpoint, then what was made for it; archives stay in the bucket."""
        self._endpoint.delete()
        self._endpoint.delete_made(self.details.get("models", []), self.details.get("configs", []))
        self.details = {}

    def statuses(self) -> list[VersionStatus]:
        """The version of the endpoint that is in service; raises where SageMaker went back to another."""
        found = self._endpoint.describe()
        if found is None:
            raise RecommenderError(f"there is no endpoint {self.settings.deployment.name}")
        if found["EndpointStatus"] in BUSY:
            time.sleep(POLL_SECONDS)  # it takes minutes, and SageMaker refuses who asks too often
            return []
        if found["EndpointStatus"] != IN_SERVICE or found["EndpointConfigName"] != self.details.get("config"):
            raise RecommenderError(problem(found))
        return [VersionStatus(self.details["version"], "AVAILABLE")]

    def predict(self, version: Version, request: Mapping[str, Any]) -> Any:
        """Ask the endpoint; its container hands the body to TensorFlow Serving as it is."""
        name = self.settings.deployment.name
        attributes = f"tfs-model-name={self.settings.workflow.name},tfs-model-version={version.number}"
        with in_one_line(f"endpoint {name}"):
            answer = self._account.client("sagemaker-runtime").invoke_endpoint(
                EndpointName=name,
                ContentType="application/json",
                CustomAttributes=attributes,
                Body=json.dumps(request).encode(),
            )
            body = answer["Body"].read()
        try:
            return json.loads(body)["predictions"]
        except (ValueError, KeyError, TypeError):
            shown = " ".join(body[:200].decode(errors="replace").split())
            raise RecommenderError(f"endpoint {name}: expected predictions, received {shown!r}") from None

    def curl(self, request: Mapping[str, Any] | None) -> str:
        """A line for the AWS CLI, which signs requests as SageMaker wants it."""
        aws, name = f"aws --region {self.settings.sagemaker.region}", self.settings.deployment.name
        if request is None:
            return f"{aws} sagemaker describe-endpoint --endpoint-name {name}"
        return (
            f"{aws} sagemaker-runtime invoke-endpoint --endpoint-name {name} --content-type application/json "
            "--cli-binary-format raw-in-base64-out "
            f"--body {shlex.quote(json.dumps(request, ensure_ascii=False))} /dev/stdout"
        )

    @property
    def url(self) -> str:
        """Where signed requests are answered."""
        sagemaker = self.settings.sagemaker
        host = sagemaker.endpoint_url or f"https://runtime.sagemaker.{sagemaker.region}.amazonaws.com"
        return f"{host}/endpoints/{self.settings.deployment.name}/invocations"

    @property
    def logs(self) -> str:
        """The command that shows the container's log."""
        group = f"/aws/sagemaker/Endpoints/{self.settings.deployment.name}"
        return f"aws --region {self.settings.sagemaker.region} logs tail {group} --follow"

    def _requests(self, version: Version) -> EndpointRequests:
        return endpoint_requests(self.settings, version.number)

    @cached_property
    def _account(self) -> Account:
        return Account(self.settings.sagemaker)

    @cached_property
    def _endpoint(self) -> Endpoint:
        deployment = self.settings.deployment
        return Endpoint(self._account.client("sagemaker"), deployment.name, deployment.wait_seconds)

    def _made(self, kind: str, name: str) -> None:
        self.details[kind] = [*self.details.get(kind, []), name]
