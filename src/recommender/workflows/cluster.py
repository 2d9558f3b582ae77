"""What Metaflow is told about a cluster: decorators of the steps, its environment, its command."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from recommender.config import Settings, WorkflowSettings, check
from recommender.errors import ConfigError

# S3-compatible storages: the variables of boto3, the one for S3 alone first.
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
# The image's user is no root; pods that want more are refused.
UNPRIVILEGED = {"run_as_non_root": True, "allow_privilege_escalation": False}


def decorator(workflow: WorkflowSettings, step: str) -> tuple[str, dict[str, Any]] | None:
    """Metaflow's decorator for a step and its arguments; None where steps run on this machine."""
    resources: dict[str, Any] = getattr(workflow.resources, step)
    asked = {"image": workflow.image, **{name: resources[name] for name in ("cpu", "memory")}}
    if resources["gpu"]:
        asked["gpu"] = resources["gpu"]
    if workflow.target == "aws-batch":
        return "batch", asked | {"queue": workflow.queue, "iam_role": workflow.role}
    if workflow.target in ("kubernetes", "argo"):
        return "kubernetes", asked | {"disk": resources["disk"], "security_context": UNPRIVILEGED}
    return None


def check_metadata(settings: Settings, metadata: str) -> None:
    """Raise `ConfigError` for a gang on AWS Batch whose metadata Metaflow keeps in files of each container.

    There Metaflow lets the gang's first task wait until the others' metadata say that they have ended.
    """
    gang = settings.distribution.strategy == "multi_worker"
    if gang and settings.workflow.target == "aws-batch" and metadata == "local":
        raise ConfigError(
            "workflow.target: aws-batch trains with several workers where Metaflow has a metadata service, "
            "METAFLOW_DEFAULT_METADATA=service and METAFLOW_SERVICE_URL, received local metadata"
        )


def options(workflow: WorkflowSettings) -> list[str]:
    """What comes before Metaflow's command: where it keeps code and artifacts."""
    return [] if workflow.target == "local" else ["--datastore", "s3"]


def with_endpoint(settings: Settings, environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings that name the storage's endpoint: steps elsewhere do not have this machine's environment.

    Raises `ConfigError` where the environment names none that the settings could.
    """
    workflow = settings.workflow
    endpoint = next((environ[name] for name in ENDPOINTS if environ.get(name)), None)
    if workflow.target == "local" or workflow.storage_endpoint or endpoint is None:
        return settings
    tree = settings.model_dump(mode="json")
    tree["workflow"]["storage_endpoint"] = endpoint
    return check(tree)


def environment(workflow: WorkflowSettings) -> dict[str, str]:
    """What Metaflow reads from the environment while it is imported; nothing where steps run here."""
    if workflow.target == "local":
        return {}
    found = {
        "METAFLOW_DATASTORE_SYSROOT_S3": f"{workflow.storage}/metaflow",
        "METAFLOW_DEFAULT_DATASTORE": "s3",
        "METAFLOW_S3_ENDPOINT_URL": workflow.storage_endpoint,
        "METAFLOW_KUBERNETES_NAMESPACE": workflow.namespace,
        "METAFLOW_KUBERNETES_SERVICE_ACCOUNT": workflow.service_account,
        "METAFLOW_KUBERNETES_SECRETS": ",".join(workflow.secrets),
    }
    return {name: value for name, value in found.items() if value}


def template_name(workflow: WorkflowSettings) -> str:
    """The workflow's name as Kubernetes takes it: lower case, without dots and underscores."""
    return workflow.name.lower().replace("_", "-").replace(".", "-").strip("-")
