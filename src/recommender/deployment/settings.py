"""Typed settings of the deployment workflow: what `workflow-deploy-model.yaml` says.

The rules are those of `recommender.config`: an unknown key, a wrong type or an impossible value is one line
naming key, rule and value (`ConfigError`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from recommender.config import Name, PathSetting, Positive, Section, check_as, merge, read_assignments

Port = Annotated[int, Field(ge=1, le=65_535)]
Seconds = Annotated[float, Field(ge=0.001, le=86_400)]  # servers are told milliseconds, Kubernetes 32 bits
CPUs = Annotated[float, Field(ge=0.01)]  # Docker's least


def _text(rule: str, pattern: str) -> AfterValidator:
    """Text of a form that is easier said than shown as a pattern."""

    def checked(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"must be {rule}")
        return value

    return AfterValidator(checked)


def _ip_address(value: str) -> str:
    ip_address(value)  # says what is wrong
    return value


# The version is part of an image's name, so that tomorrow's deployment is today's.
Image = Annotated[
    str,
    _text(
        "an image with its version, not latest, as in tensorflow/serving:2.19.1",
        r"([\w.-]+(:\d+)?/)?[\w./-]+(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})",
    ),
]
Memory = Annotated[str, _text("a number with Mi or Gi, as in 512Mi", r"[1-9]\d*(Mi|Gi)")]
# RFC 1123: what Kubernetes, Compose and SageMaker all take as a name.
Label = Annotated[
    str, _text('lower case letters, digits and "-" within, at most 63', r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
]
Bucket = Annotated[
    str, _text("as in s3://models/recommender or gs://models/recommender", r"|(s3|gs)://[^\s/]+(/\S*)?")
]
BucketName = Annotated[
    str, _text("the name of a bucket, without s3://", r"|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
]
Host = Annotated[str, _text("a host's name or address", r"[\w.:%-]+")]
Address = Annotated[str, AfterValidator(_ip_address)]
URL = Annotated[
    str, _text("as in http://127.0.0.1:8501", r"https?://([\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?(/[^\s?#]*)?")
]
Folder = Annotated[str, _text('a folder without ".." in its path', r"(?!(.*/)?\.\.(/|$))[^\0]*")]
Key = Annotated[str, _text('letters, digits, "_", ".", "-" and "/"', r"[\w./-]*")]


def _version(value: object) -> object:
    is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if not is_number and value not in ("latest", "best"):
        raise ValueError("must be latest, best or a version's number")
    return value


class DeployWorkflowSettings(Section):
    """Which model is deployed."""

    kind: Literal["deploy"] = "deploy"
    name: Name = "recommender"


class BestBySettings(Section):
    """What makes a version the best: a value in its `metrics.json`."""

    model: str = "deep_ranking"
    metric: str = "rmse"
    split: Literal["validation", "test"] = "validation"


class ModelSettings(Section):
    """Which version is deployed."""

    base: PathSetting = Path("data/models")
    version: Annotated[str | int, BeforeValidator(_version)] = "latest"
    best_by: BestBySettings = BestBySettings()


class DeploymentSettings(Section):
    """Where the version goes and when it counts as deployed."""

    target: Literal["local", "docker", "kubernetes", "sagemaker"] = "local"
    name: Label = "recommender"
    home: PathSetting = Path("data/deployments")
    wait_seconds: Seconds = 120.0
    smoke: bool = True
    tolerance: Annotated[float, Field(gt=0)] = 1e-4


class LocalSettings(Section):
    """`recommender serve` as a background process of this machine."""

    host: Host = "127.0.0.1"
    port: Port = 8501
    workers: Positive = 1
    request_seconds: Seconds = 30.0


class DockerSettings(Section):
    """TensorFlow Serving's image under Docker Compose."""

    image: Image = "tensorflow/serving:2.19.1"
    host: Address = "127.0.0.1"
    port: Port = 8501
    cpus: CPUs = 2.0
    memory: Memory = "2Gi"
    request_seconds: Seconds = 30.0


def mebibytes(memory: str) -> int:
    """An amount such as 512Mi or 2Gi."""
    return int(memory[:-2]) * (1024 if memory.endswith("Gi") else 1)


class ResourceSettings(Section):
    """What one pod is promised, and what it may use."""

    cpu_request: CPUs = 0.5
    cpu_limit: CPUs = 2.0
    memory_request: Memory = "1Gi"
    memory_limit: Memory = "2Gi"

    @model_validator(mode="after")
    def _requests_fit(self) -> ResourceSettings:
        if self.cpu_request > self.cpu_limit:
            raise ValueError(f"cpu_request must be at most cpu_limit ({self.cpu_limit})")
        if mebibytes(self.memory_request) > mebibytes(self.memory_limit):
            raise ValueError(f"memory_request must be at most memory_limit ({self.memory_limit})")
        return self


class StorageSettings(Section):
    """Where pods read the versions from: a volume claim, or a bucket that each pod copies one from first."""

    kind: Literal["pvc", "bucket"] = "pvc"
    claim: Label = "recommender-models"
    path: Folder = ""
    bucket: Bucket = ""
    fetch_image: Image = "rclone/rclone:1.68.2"
    secret: Label | None = None

    @model_validator(mode="after")
    def _bucket_is_named(self) -> StorageSettings:
        if self.kind == "bucket" and not self.bucket:
            raise ValueError("bucket must be given when kind is bucket, as in s3://models/recommender")
        return self


class KubernetesSettings(Section):
    """TensorFlow Serving's image in a Kubernetes Deployment with a Service and an autoscaler."""

    namespace: Label = "default"
    create_namespace: bool = False
    context: str | None = None
    image: Image = "tensorflow/serving:2.19.1"
    min_replicas: Positive = 2
    max_replicas: Positive = 6
    target_cpu_percent: Annotated[int, Field(ge=1, le=100)] = 70
    resources: ResourceSettings = ResourceSettings()
    storage: StorageSettings = StorageSettings()
    service_type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    service_account: Label | None = None
    port: Port = 8501
    request_seconds: Seconds = 30.0
    url: URL | None = None

    @model_validator(mode="after")
    def _replicas_ascend(self) -> KubernetesSettings:
        if self.min_replicas > self.max_replicas:
            raise ValueError(f"min_replicas must be at most max_replicas ({self.max_replicas})")
        return self


class SageMakerSettings(Section):
    """An endpoint of Amazon SageMaker with its TensorFlow Serving container."""

    region: Annotated[str, _text("a region, as in eu-west-1", r"[a-z]+(-[a-z]+)+-\d+")] = "eu-west-1"
    bucket: BucketName = ""
    prefix: Key = "recommender"
    role_arn: str = ""
    image: Image = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/tensorflow-inference:2.19.0-cpu"
    instance_type: str = "ml.m5.large"
    instance_count: Positive = 1
    endpoint_url: URL | None = None


class DeploySettings(Section):
    """Everything one deployment depends on."""

    workflow: DeployWorkflowSettings = DeployWorkflowSettings()
    model: ModelSettings = ModelSettings()
    deployment: DeploymentSettings = DeploymentSettings()
    local: LocalSettings = LocalSettings()
    docker: DockerSettings = DockerSettings()
    kubernetes: KubernetesSettings = KubernetesSettings()
    sagemaker: SageMakerSettings = SageMakerSettings()

    @model_validator(mode="after")
    def _sagemaker_is_told_where(self) -> DeploySettings:
        for key in ("bucket", "role_arn"):
            if self.deployment.target == "sagemaker" and not getattr(self.sagemaker, key):
                raise ValueError(f"sagemaker.{key} must be given when deployment.target is sagemaker")
        return self

    @model_validator(mode="after")
    def _kubernetes_takes_the_name(self) -> DeploySettings:
        if self.deployment.target == "kubernetes" and not self.deployment.name[0].isalpha():
            raise ValueError(
                "deployment.name must begin with a letter when deployment.target is kubernetes (RFC 1035)"
            )
        return self

    @property
    def versions(self) -> Path:
        """The folder of the model's versions, whatever the working directory becomes."""
        return (self.model.base / self.workflow.name).absolute()

    @property
    def folder(self) -> Path:
        """The deployment's folder: its record, the files that make a version serve, its logs."""
        return (self.deployment.home / self.deployment.name).absolute()

    def absolute(self) -> DeploySettings:
        """The same with paths that do not depend on the working directory, for whoever reads them later."""
        model = self.model.model_copy(update={"base": self.model.base.absolute()})
        deployment = self.deployment.model_copy(update={"home": self.deployment.home.absolute()})
        return self.model_copy(update={"model": model, "deployment": deployment})

    def to_yaml(self) -> str:
        """The resolved settings as YAML, without the sections of other targets."""
        used = ("workflow", "model", "deployment", self.deployment.target)
        tree = self.model_dump(mode="json")
        return yaml.safe_dump({key: tree[key] for key in used}, sort_keys=False)


def resolve(tree: Mapping[str, Any], overrides: Iterable[str] = ()) -> DeploySettings:
    """Settings from a tree of plain values and `KEY=VALUE` strings; raises `ConfigError`."""
    return check_as(DeploySettings, merge(tree, read_assignments(overrides)))
