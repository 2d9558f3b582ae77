from __future__ import annotations

import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
import yaml

from recommender.config import Section, read_yaml
from recommender.deployment.settings import DeploySettings, mebibytes, resolve
from recommender.errors import ConfigError

SETTINGS_FILE = Path(__file__).parents[2] / "workflow-deploy-model.yaml"
NAMES: dict[Any, str] = {
    int: "int",
    float: "float",
    str: "str",
    bool: "bool",
    Path: "path",
    type(None): "null",
}


def type_name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_name(arguments[0])
    if origin is Literal:
        return "str"
    if origin in (Union, types.UnionType):
        return " or ".join(type_name(argument) for argument in arguments)
    return NAMES[annotation]


def keys(section: type[Section], indent: int = 0) -> Iterator[tuple[str, str | None]]:
    """Lines of the file: indented key and type, in declared order; no type for a section."""
    for name, field in section.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
            yield " " * indent + name, None
            yield from keys(annotation, indent + 2)
        else:
            yield " " * indent + name, type_name(annotation)


def problem(*overrides: str) -> str:
    with pytest.raises(ConfigError) as error:
        resolve({}, overrides)
    return str(error.value)


def test_the_file_says_the_defaults() -> None:
    assert resolve(read_yaml(SETTINGS_FILE)) == DeploySettings()


def test_every_key_of_the_file_says_its_type_and_meaning() -> None:
    lines = [
        line for line in SETTINGS_FILE.read_text(encoding="utf-8").splitlines() if ":" in line.split("#")[0]
    ]
    found = []
    for line in lines:
        key, comment = re.fullmatch(r"( *\w+):[^#]*(?:# (.*))?", line).groups()
        typed = re.fullmatch(r"\(([^)]+)\) \S.*", comment or "")
        found.append((key, typed.group(1) if typed else None))
    assert found == list(keys(DeploySettings))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("local.prot=1", "local.prot: unknown key, received 1"),
        ("model.version=0", "model.version: must be latest, best or a version's number, received 0"),
        (
            "model.version=newest",
            "model.version: must be latest, best or a version's number, received 'newest'",
        ),
        ("model.version=true", "model.version: must be latest, best or a version's number, received True"),
        (
            "docker.image=tensorflow/serving",
            "docker.image: must be an image with its version, not latest, as in ",
        ),
        ("docker.image=tensorflow/serving:latest", "docker.image: must be an image with its version"),
        ("docker.memory=2G", "docker.memory: must be a number with Mi or Gi, as in 512Mi, received '2G'"),
        ("deployment.name=A_b", 'deployment.name: must be lower case letters, digits and "-" within, '),
        ("deployment.name=-a", "deployment.name: must be lower case letters"),
        ("local.port=0", "local.port: input should be greater than or equal to 1, received 0"),
        ("kubernetes.storage.kind=bucket", "kubernetes.storage: bucket must be given when kind is bucket"),
        (
            "kubernetes.storage.bucket=models",
            "kubernetes.storage.bucket: must be as in s3://models/recommender",
        ),
        ("kubernetes.max_replicas=1", "kubernetes: min_replicas must be at most max_replicas (1)"),
        (
            "kubernetes.resources.cpu_request=3",
            "kubernetes.resources: cpu_request must be at most cpu_limit (2.0)",
        ),
        (
            "kubernetes.resources.memory_request=3000Mi",
            "kubernetes.resources: memory_request must be at most memory_limit (2Gi)",
        ),
        ("local.host='a b'", "local.host: must be a host's name or address, received 'a b'"),
        (
            "local.request_seconds=1e-9",
            "local.request_seconds: input should be greater than or equal to 0.001",
        ),
        (
            "deployment.wait_seconds=1e300",
            "deployment.wait_seconds: input should be less than or equal to 86400",
        ),
        ("docker.host=here", "docker.host: 'here' does not appear to be an IPv4 or IPv6 address"),
        ("docker.cpus=1e-6", "docker.cpus: input should be greater than or equal to 0.01, received 1e-06"),
        ("kubernetes.url=foo", "kubernetes.url: must be as in http://127.0.0.1:8501, received 'foo'"),
        ("kubernetes.url=http://a?b", "kubernetes.url: must be as in http://127.0.0.1:8501"),
        (
            "kubernetes.storage.path=a/../../b",
            'kubernetes.storage.path: must be a folder without ".." in its',
        ),
        ("sagemaker.endpoint_url=foo", "sagemaker.endpoint_url: must be as in http://127.0.0.1:8501"),
        ("sagemaker.bucket=s3://models", "sagemaker.bucket: must be the name of a bucket, without s3://"),
        ("sagemaker.region=eu west", "sagemaker.region: must be a region, as in eu-west-1"),
        ("sagemaker.prefix='a b'", 'sagemaker.prefix: must be letters, digits, "_", ".", "-" and "/"'),
        ("deployment.target=sagemaker", "settings: sagemaker.bucket must be given when deployment.target is"),
    ],
)
def test_what_cannot_be_is_one_line(override: str, message: str) -> None:
    found = problem(override)
    assert found.startswith(message)
    assert "\n" not in found


@pytest.mark.parametrize(
    "image",
    ["tensorflow/serving:2.19.1", "localhost:5000/a/b:1", "a.b-c:v1.2_3", f"a/b@sha256:{'0' * 64}"],
)
def test_images_with_a_version_are_accepted(image: str) -> None:
    assert resolve({"docker": {"image": image}}).docker.image == image


def test_a_service_of_kubernetes_begins_with_a_letter() -> None:
    message = "settings: deployment.name must begin with a letter when deployment.target is kubernetes"
    assert problem("deployment.target=kubernetes", "deployment.name=1st").startswith(message)
    assert resolve({}, ["deployment.name=1st"]).deployment.name == "1st"


@pytest.mark.parametrize("path", ["", "models", "a/b..c/.d", "a b"])
def test_folders_in_a_volume(path: str) -> None:
    assert resolve({"kubernetes": {"storage": {"path": path}}}).kubernetes.storage.path == path


def test_amounts_of_memory() -> None:
    assert (mebibytes("512Mi"), mebibytes("2Gi")) == (512, 2048)


def test_what_is_shown_leaves_out_other_targets() -> None:
    shown = yaml.safe_load(resolve({}, ["local.port=9000"]).to_yaml())
    assert list(shown) == ["workflow", "model", "deployment", "local"]
    assert shown["local"]["port"] == 9000


def test_absolute_settings_do_not_depend_on_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = resolve({}).absolute()
    assert settings.model.base == tmp_path / "data/models"
    assert settings.versions == tmp_path / "data/models/recommender"
    assert settings.folder == tmp_path / "data/deployments/recommender"
