"""The sagemaker target against moto's S3 and SageMaker on loopback."""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from recommender.deployment.settings import DeploySettings
from recommender.deployment.targets import make_target, sagemaker_endpoint
from recommender.deployment.targets.sagemaker import SageMakerTarget
from recommender.errors import ConfigError, RecommenderError
from recommender.versions import Version

Settings = Callable[..., DeploySettings]
REGION, ACCOUNT = "eu-west-1", "123456789012"  # moto's
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/recommender"


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    """The address of an S3 and a SageMaker in this process."""
    from moto.sagemaker.responses import SageMakerResponse
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SageMakerResponse, "update_endpoint", update_endpoint, raising=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


def update_endpoint(response: Any) -> str:
    """UpdateEndpoint, which moto lacks: the endpoint goes over to another configuration at once."""
    name, config = (response._get_param(key) for key in ("EndpointName", "EndpointConfigName"))
    response.sagemaker_backend.describe_endpoint_config(config)
    arn = response.sagemaker_backend.describe_endpoint(name)["EndpointArn"]
    response.sagemaker_backend.endpoints[name].endpoint_config_name = config
    return json.dumps({"EndpointArn": arn})


@pytest.fixture
def aws(cloud: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An empty account with a bucket `models`, and credentials for it, whatever this machine has."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(sagemaker_endpoint, "POLL_SECONDS", 0.01)
    requests.post(f"{cloud}/moto-api/reset", timeout=10).raise_for_status()
    place = {"LocationConstraint": REGION}
    client("s3", cloud).create_bucket(Bucket="models", CreateBucketConfiguration=place)
    return cloud


@cache
def client(service: str, url: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@pytest.fixture
def target(aws: str, engine_settings: Settings) -> Callable[..., SageMakerTarget]:
    """`target("sagemaker.bucket=other", ...)`: with a folder, as the workflow makes it."""

    def target(*overrides: str) -> SageMakerTarget:
        found = engine_settings(
            "deployment.target=sagemaker",
            "sagemaker.bucket=models",
            f"sagemaker.role_arn={ROLE}",
            f"sagemaker.endpoint_url={aws}",
            *overrides,
        )
        found.folder.mkdir(parents=True, exist_ok=True)
        made = make_target(found, found.folder)
        assert isinstance(made, SageMakerTarget)
        return made

    return target


Make = Callable[..., SageMakerTarget]


def endpoint(aws: str) -> dict[str, Any]:
    return client("sagemaker", aws).describe_endpoint(EndpointName="recommender")


def set_endpoint(**values: str) -> None:
    """Let the endpoint be in another state than moto's."""
    from moto.sagemaker.models import sagemaker_backends

    (found,) = sagemaker_backends[ACCOUNT][REGION].endpoints.values()
    for name, value in values.items():
        setattr(found, name, value)


def served(archive: Path) -> dict[str, list[str]]:
    """What the container would serve of an archive: model -> versions; by its tfs_utils.py, find_models."""
    found: dict[str, list[str]] = {}
    with tarfile.open(archive) as members:
        for name in members.getnames():
            match = re.fullmatch(r"(?:.*/)?([^/]+)/(\d+)/saved_model\.pb", f"/opt/ml/model/{name}")
            if match:
                found.setdefault(match[1], []).append(match[2])
    return found


def test_the_archive_is_what_the_container_serves_under_the_models_name(
    target: Make, version: Version
) -> None:
    made = target()
    made.apply(version)
    archive = made.folder / "model.tar.gz"
    assert served(archive) == {"recommender": ["3"]}
    with tarfile.open(archive) as members:
        assert members.getnames() == [
            "recommender",
            "recommender/3",
            "recommender/3/assets.extra",
            "recommender/3/assets.extra/tf_serving_warmup_requests",
            "recommender/3/saved_model.pb",
            "recommender/3/variables",
            "recommender/3/variables/variables.index",
        ]
        content = members.extractfile("recommender/3/saved_model.pb")
        assert content is not None
        assert content.read() == b"saved_model.pb of version 3"
        assert {(member.mtime, member.uid, member.uname) for member in members} == {(0, 0, "")}


def test_equal_versions_make_equal_archives(target: Make, version: Version) -> None:
    made = target()
    made.apply(version)
    before = (made.folder / "model.tar.gz").read_bytes()
    model = version.folder / "saved_model.pb"
    content = model.read_bytes()
    model.unlink()
    model.write_bytes(content)  # another time, another place in the folder
    made.apply(version)
    assert (made.folder / "model.tar.gz").read_bytes() == before


def test_the_archive_is_in_the_bucket_under_the_versions_number(
    target: Make, version: Version, aws: str
) -> None:
    made = target("sagemaker.prefix=/teams/a/")
    made.apply(version)
    key = "teams/a/recommender/3/model.tar.gz"
    found = client("s3", aws).get_object(Bucket="models", Key=key)
    assert found["Body"].read() == (made.folder / "model.tar.gz").read_bytes()
    (request,) = client("sagemaker", aws).list_models()["Models"]
    model = client("sagemaker", aws).describe_model(ModelName=request["ModelName"])
    assert model["PrimaryContainer"]["ModelDataUrl"] == f"s3://models/{key}"
    assert model["ExecutionRoleArn"] == ROLE


def test_a_large_archive_is_sent_in_parts_and_whole(target: Make, version: Version, aws: str) -> None:
    noise = Path("/dev/urandom").open("rb").read(9 << 20)  # noqa: SIM115 - no compression helps
    (version.folder / "variables/variables.data-00000-of-00001").write_bytes(noise)
    made = target()
    made.apply(version)
    found = client("s3", aws).get_object(Bucket="models", Key="recommender/recommender/3/model.tar.gz")
    assert found["ETag"].endswith('-2"')
    assert found["Body"].read() == (made.folder / "model.tar.gz").read_bytes()


def test_a_version_never_changes_in_the_bucket(target: Make, version: Version) -> None:
    target().apply(version)
    (version.folder / "saved_model.pb").write_text("another model", encoding="utf-8")
    with pytest.raises(RecommenderError, match=r"^s3://models/.*/3/model.tar.gz: holds another archive"):
        target().apply(version)


def test_an_endpoint_is_made_and_serves_the_version(target: Make, version: Version, aws: str) -> None:
    made = target()
    assert not made.is_running()
    made.apply(version)
    assert made.is_running()
    assert [(found.version, found.state) for found in made.statuses()] == [(3, "AVAILABLE")]
    assert endpoint(aws)["EndpointConfigName"].startswith("recommender-v3-")
    assert made.url == f"{aws}/endpoints/recommender/invocations"


def test_applying_the_same_again_changes_nothing(
    target: Make, version: Version, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target().apply(version)
    before = endpoint(aws)
    for call in ("create_endpoint", "update_endpoint", "create_model", "create_endpoint_config"):
        monkeypatch.setattr(f"moto.sagemaker.responses.SageMakerResponse.{call}", None)  # would fail
    target().apply(version)
    assert endpoint(aws)["EndpointConfigName"] == before["EndpointConfigName"]


def test_going_back_finds_the_configuration_of_before(
    target: Make, version: Version, another_version: Version, aws: str
) -> None:
    made = target()
    made.apply(version)
    first = endpoint(aws)["EndpointConfigName"]
    made.apply(another_version)
    assert endpoint(aws)["EndpointConfigName"].startswith("recommender-v4-")
    assert [found.version for found in made.statuses()] == [4]
    again = target()  # as another command has it
    again.details = made.details
    again.apply(version)
    assert endpoint(aws)["EndpointConfigName"] == first
    assert [found.version for found in again.statuses()] == [3]
    assert len(client("sagemaker", aws).list_models()["Models"]) == 2


def test_other_machines_are_another_configuration_of_the_same_model(
    target: Make, version: Version, aws: str
) -> None:
    target().apply(version)
    first = endpoint(aws)["EndpointConfigName"]
    target("sagemaker.instance_count=2").apply(version)
    assert endpoint(aws)["EndpointConfigName"] != first
    assert len(client("sagemaker", aws).list_models()["Models"]) == 1


def test_an_endpoint_that_is_still_at_work_is_waited_for(
    target: Make, version: Version, another_version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = target("deployment.wait_seconds=0.05")
    made.apply(version)
    set_endpoint(endpoint_status="Updating")
    monkeypatch.setattr("recommender.deployment.targets.sagemaker.POLL_SECONDS", 0.0)
    assert made.statuses() == []
    with pytest.raises(RecommenderError, match=r"is still Updating after 0\.05 seconds"):
        made.apply(another_version)


def test_a_failed_endpoint_is_told_in_sagemakers_words(
    target: Make, version: Version, another_version: Version
) -> None:
    made = target()
    made.apply(version)
    set_endpoint(
        endpoint_status="Failed", failure_reason="The primary container did not pass\nthe ping check."
    )
    problem = r"endpoint recommender is Failed with recommender-v3-\w+: The primary .* pass the ping check\."
    with pytest.raises(RecommenderError, match=problem):
        made.statuses()
    assert not made.is_running()
    with pytest.raises(RecommenderError, match=f"{problem}; delete it first with `recommender stop`"):
        made.apply(another_version)


def test_an_endpoint_that_sagemaker_took_back_is_no_success(
    target: Make, version: Version, another_version: Version, aws: str
) -> None:
    made = target()
    made.apply(version)
    first = endpoint(aws)["EndpointConfigName"]
    made.apply(another_version)
    set_endpoint(endpoint_config_name=first)
    with pytest.raises(RecommenderError, match=f"is InService with {first}"):
        made.statuses()


def test_stopping_deletes_what_was_made_and_keeps_the_archive(
    target: Make, version: Version, another_version: Version, aws: str
) -> None:
    made = target()
    made.stop()  # nothing there
    made.apply(version)
    made.apply(another_version)
    made.stop()
    sagemaker = client("sagemaker", aws)
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    assert sagemaker.list_models()["Models"] == []
    assert made.details == {}
    assert client("s3", aws).list_objects_v2(Bucket="models")["KeyCount"] == 2


def test_the_endpoint_is_asked_for_the_very_version(
    target: Make, version: Version, noting_server: Any
) -> None:
    noting_server.answer = b'{"predictions": [{"rating": 4.5}]}'
    made = target(f"sagemaker.endpoint_url={noting_server.url}")
    assert made.predict(version, {"instances": [{"user_id": "1"}]}) == [{"rating": 4.5}]
    ((_, path, headers, body),) = noting_server.asked
    assert path == "/endpoints/recommender/invocations"
    attributes = headers["X-Amzn-SageMaker-Custom-Attributes"]
    assert attributes == "tfs-model-name=recommender,tfs-model-version=3"
    assert json.loads(body) == {"instances": [{"user_id": "1"}]}
    noting_server.answer = b"<html>bad gateway</html>"
    with pytest.raises(RecommenderError, match="expected predictions, received '<html>bad gateway</html>'"):
        made.predict(version, {"instances": []})


def test_the_line_to_ask_with_is_one_for_the_aws_cli(target: Make) -> None:
    title = "Devil's Advocate, The (1997)"
    words = shlex.split(target().curl({"instances": [{"movie_title": title}]}))
    assert words[:5] == ["aws", "--region", REGION, "sagemaker-runtime", "invoke-endpoint"]
    body = json.loads(words[words.index("--body") + 1])
    assert body == {"instances": [{"movie_title": title}]}
    assert target().curl(None).endswith("sagemaker describe-endpoint --endpoint-name recommender")


def test_without_credentials_one_line_says_what_to_set(target: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(RecommenderError, match=r"^no AWS credentials found; set AWS_PROFILE, or") as error:
        target().check_engine()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("AWS_PROFILE", "nix", "AWS: The config profile (nix) could not be found"),
        (
            "AWS_SECRET_ACCESS_KEY",
            "",
            "AWS: Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY",
        ),
    ],
)
def test_credentials_that_are_not_whole_are_told_in_one_line(
    target: Make, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(RecommenderError) as error:
        target().check_engine()
    assert str(error.value) == reason


def test_a_bucket_that_is_not_there_is_told(target: Make) -> None:
    target().check_engine()
    with pytest.raises(RecommenderError) as error:
        target("sagemaker.bucket=elsewhere").check_engine()
    assert str(error.value) == "sagemaker.bucket: there is no bucket s3://elsewhere"


def test_a_service_that_does_not_answer_is_told_in_one_line(target: Make, version: Version) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        made = target(f"sagemaker.endpoint_url=http://127.0.0.1:{free.getsockname()[1]}")
        for call in (made.check_engine, made.is_running, lambda: made.apply(version)):
            with pytest.raises(RecommenderError, match="Could not connect to the endpoint URL") as error:
                call()
            assert "\n" not in str(error.value)


@pytest.mark.parametrize("role", ["recommender", "arn:aws:iam::12:role/recommender", f"{ROLE} "])
def test_a_role_that_is_none_is_told_before_anything_is_asked(
    target: Make, version: Version, role: str
) -> None:
    made = target(f"sagemaker.role_arn='{role}'")
    with pytest.raises(ConfigError, match=r"^sagemaker\.role_arn: must be as in arn:aws:iam::"):
        made.validate(made.files(version))


def test_an_image_of_another_region_is_told(target: Make, version: Version) -> None:
    made = target("sagemaker.region=us-east-1")
    with pytest.raises(ConfigError, match=r"^sagemaker\.image: must be of sagemaker\.region \(us-east-1\)"):
        made.validate(made.files(version))


def test_requests_are_checked_against_their_definitions(target: Make, version: Version) -> None:
    made = target(f"deployment.name={'long' * 15}")
    files = made.files(version)
    made.validate(files)
    files["create-model.json"] = files["create-model.json"].replace("ExecutionRoleArn", "ExecutionRole")
    with pytest.raises(RecommenderError, match=r"^create-model\.json: .*: \"ExecutionRole\", must be one of"):
        made.validate(files)


def test_names_are_short_enough_and_of_the_letters_that_sagemaker_takes(
    target: Make, version: Version
) -> None:
    made = target(f"deployment.name={'a-' * 31}a")
    names = re.findall(r'"(?:Model|EndpointConfig)Name": "(.*)"', "".join(made.files(version).values()))
    assert len(set(names)) == 2
    assert all(len(name) <= 63 and re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", name) for name in names)


def test_the_commands_that_are_shown_make_the_same_archive(target: Make, version: Version) -> None:
    made = target()
    made.apply(version)
    archive = made.folder / "model.tar.gz"
    ours = served(archive)
    archive.unlink()
    tar, *calls = made.commands(version)
    subprocess.run(tar, shell=True, check=True)
    assert served(archive) == ours
    assert calls[0].endswith("s3 cp " + f"{archive} s3://models/recommender/recommender/3/model.tar.gz")
    for line, name in zip(calls[1:], made.files(version), strict=True):
        assert f"--cli-input-json file://{made.folder / name}" in line
