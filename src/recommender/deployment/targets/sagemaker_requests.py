"""The requests by which SageMaker serves a version: CreateModel, CreateEndpointConfig and CreateEndpoint."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from recommender.deployment.settings import DeploySettings
from recommender.errors import ConfigError, RecommenderError

Request = dict[str, Any]
# File name -> the operation that takes it. UpdateEndpoint takes the same as CreateEndpoint.
OPERATIONS = {
    "create-model.json": "CreateModel",
    "create-endpoint-config.json": "CreateEndpointConfig",
    "endpoint.json": "CreateEndpoint",
}
ROLE_ARN = re.compile(
    r"arn:aws[a-z-]*:iam::\d{12}:role/?[\w+=,.@/-]+"
)  # as CreateModel's documentation has it
ECR_REGION = re.compile(r"\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com")


@dataclass(frozen=True)
class EndpointRequests:
    """What makes one version serve; equal settings and versions have equal names."""

    model: Request
    config: Request
    endpoint: Request

    def files(self) -> dict[str, str]:
        """As `aws sagemaker OPERATION --cli-input-json file://...` takes them."""
        contents = (self.model, self.config, self.endpoint)
        return {
            name: json.dumps(content, indent=2) + "\n"
            for name, content in zip(OPERATIONS, contents, strict=True)
        }


def archive_key(settings: DeploySettings, version: int) -> str:
    """Where in the bucket the version's archive is."""
    parts = (settings.sagemaker.prefix.strip("/"), settings.workflow.name, str(version), "model.tar.gz")
    return "/".join(filter(None, parts))


def endpoint_requests(settings: DeploySettings, version: int) -> EndpointRequests:
    """The requests for a version.

    Models and configurations cannot be changed, only made: their names carry the version and a hash of the
    rest, so that going back finds those of before.
    """
    sagemaker, tags = settings.sagemaker, [{"Key": "recommender", "Value": settings.deployment.name}]
    container = {
        "Image": sagemaker.image,
        "ModelDataUrl": f"s3://{sagemaker.bucket}/{archive_key(settings, version)}",
        "Environment": {"SAGEMAKER_TFS_DEFAULT_MODEL_NAME": settings.workflow.name},
    }
    model: Request = {
        "ExecutionRoleArn": sagemaker.role_arn,
        "PrimaryContainer": container,
        "EnableNetworkIsolation": True,
        "Tags": tags,
    }
    model_name = _name(settings, version, model)
    variant = {
        "VariantName": "all",
        "ModelName": model_name,
        "InitialInstanceCount": sagemaker.instance_count,
        "InstanceType": sagemaker.instance_type,
    }
    config: Request = {"ProductionVariants": [variant], "Tags": tags}
    config_name = _name(settings, version, config)
    return EndpointRequests(
        {"ModelName": model_name, **model},
        {"EndpointConfigName": config_name, **config},
        {"EndpointName": settings.deployment.name, "EndpointConfigName": config_name},
    )


def check_requests(settings: DeploySettings, files: dict[str, str]) -> None:
    """Hold requests against the definitions of their operations, the role and the image against their forms.

    Raises `RecommenderError`. Whether the role may do what it must, only SageMaker knows.
    """
    from botocore.session import get_session
    from botocore.validate import ParamValidator

    if not ROLE_ARN.fullmatch(settings.sagemaker.role_arn):
        raise ConfigError(
            "sagemaker.role_arn: must be as in arn:aws:iam::123456789012:role/NAME, "
            f"received {settings.sagemaker.role_arn!r}"
        )
    found = ECR_REGION.search(settings.sagemaker.image)
    if found and found[1] != settings.sagemaker.region:
        raise ConfigError(
            f"sagemaker.image: must be of sagemaker.region ({settings.sagemaker.region}), "
            f"received one of {found[1]}"
        )
    service = get_session().get_service_model("sagemaker")
    for name, operation in OPERATIONS.items():
        shape = service.operation_model(operation).input_shape
        report = ParamValidator().validate(json.loads(files[name]), shape)
        if report.has_errors():
            raise RecommenderError(f"{name}: {' '.join(report.generate_report().split())}")


def _name(settings: DeploySettings, version: int, content: Request) -> str:
    """At most 63 characters, as SageMaker wants it."""
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
    return f"{settings.deployment.name[:40]}-v{version}-{digest}"
