"""The docker target: its Compose file against the specification's schema, its calls of a `docker`."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from recommender.deployment.record import write_text
from recommender.deployment.settings import DeploySettings
from recommender.deployment.targets import make_target
from recommender.deployment.targets.compose import ComposeTarget
from recommender.deployment.targets.compose_file import check_compose_file, health_check
from recommender.errors import RecommenderError
from recommender.versions import Version

Settings = Callable[..., DeploySettings]


def target_of(settings: DeploySettings) -> ComposeTarget:
    return ComposeTarget(settings, settings.folder)


def service(settings: DeploySettings, version: Version) -> dict[str, Any]:
    return yaml.safe_load(target_of(settings).files(version)["compose.yaml"])["services"]["model-server"]


def write(target: ComposeTarget, version: Version) -> None:
    for name, text in target.files(version).items():
        write_text(target.folder / name, text)


def test_docker_is_what_the_target_is_called(engine_settings: Settings) -> None:
    docker = engine_settings("deployment.target=docker")
    assert isinstance(make_target(docker, docker.folder), ComposeTarget)


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["docker.host=0.0.0.0", "docker.port=80", "docker.cpus=0.5", "docker.memory=512Mi"],
        ["deployment.name=a-1", "workflow.name=My_model.v2", "docker.request_seconds=0.25"],
        [f"docker.image=registry.example.org:5000/tensorflow/serving@sha256:{'0' * 64}"],
    ],
)
def test_the_compose_file_is_one_by_the_specification(
    engine_settings: Settings, version: Version, overrides: list[str]
) -> None:
    target = target_of(engine_settings(*overrides))
    target.validate(target.files(version))


def test_a_compose_file_that_is_none_is_refused_with_the_place(
    engine_settings: Settings, version: Version
) -> None:
    text = target_of(engine_settings()).files(version)["compose.yaml"]
    with pytest.raises(RecommenderError, match=r"^compose\.yaml: \$\.services\['model-server'\]: .*'imagee'"):
        check_compose_file(text.replace("image:", "imagee:"))


def test_compose_itself_takes_the_file_where_its_plugin_is_installed(
    engine_settings: Settings, version: Version
) -> None:
    plugin = ["docker", "compose", "version"]
    if shutil.which("docker") is None or subprocess.run(plugin, capture_output=True).returncode:
        pytest.skip("there is no docker with the compose plugin on this machine")
    target = target_of(engine_settings())
    write(target, version)
    command = ["docker", "compose", "--file", str(target.folder / "compose.yaml"), "config", "--format=json"]
    read = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert read["services"]["model-server"]["image"] == engine_settings().docker.image


def test_the_container_can_do_no_more_than_serve(engine_settings: Settings, version: Version) -> None:
    found = service(engine_settings(), version)
    assert found["read_only"] is True
    assert found["tmpfs"] == ["/tmp"]
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert not found["user"].startswith("0:")
    assert all(mount["read_only"] and not mount["bind"]["create_host_path"] for mount in found["volumes"])
    assert found["deploy"]["resources"]["limits"] == {"cpus": "2.0", "memory": "2048m", "pids": 1024}


def test_only_this_machine_reaches_the_port_unless_told_otherwise(
    engine_settings: Settings, version: Version
) -> None:
    assert service(engine_settings(), version)["ports"] == [
        {"target": 8501, "published": "8501", "host_ip": "127.0.0.1"}
    ]
    assert target_of(engine_settings("docker.port=8600")).url == "http://127.0.0.1:8600"
    assert target_of(engine_settings("docker.host=0.0.0.0")).url == "http://127.0.0.1:8501"


def test_another_version_changes_the_polled_file_and_leaves_the_container_as_it_is(
    engine_settings: Settings, version: Version, another_version: Version
) -> None:
    before, after = (target_of(engine_settings()).files(one) for one in (version, another_version))
    assert {name for name in before if before[name] != after[name]} == {"config/models.config"}
    assert "specific { versions: 3 }" in before["config/models.config"]
    assert "specific { versions: 4 }" in after["config/models.config"]


def test_the_server_sees_the_files_where_its_arguments_say(
    engine_settings: Settings, version: Version
) -> None:
    target = target_of(engine_settings())
    found, files = service(engine_settings(), version), target.files(version)
    mounts = {mount["target"]: mount["source"] for mount in found["volumes"]}
    assert mounts["/config"] == str(target.folder / "config")  # the folder: a renamed file would stay the old
    assert mounts["/models/recommender"] == str(version.folder.parent)
    assert 'base_path: "/models/recommender"' in files["config/models.config"]
    for flag in ("model_config_file", "monitoring_config_file"):
        (path,) = (word.partition("=")[2] for word in found["command"] if word.startswith(f"--{flag}="))
        assert path.replace("/config/", "config/") in files
    assert "--model_config_file_poll_wait_seconds=5" in found["command"]


def test_a_dollar_in_a_path_is_not_taken_for_a_variable(engine_settings: Settings, version: Version) -> None:
    found = service(engine_settings("model.base=/srv/$HOME"), version)
    assert found["volumes"][0]["source"] == "/srv/$$HOME/recommender"


@pytest.mark.parametrize(("state", "healthy"), [("AVAILABLE", True), ("LOADING", False), ("END", False)])
def test_the_health_check_succeeds_while_a_version_is_available(
    noting_server: Any, state: str, healthy: bool
) -> None:
    noting_server.answer = json.dumps({"model_version_status": [{"state": state}]}, indent=1).encode()
    command = ["bash", "-c", health_check("recommender", noting_server.port)]
    assert (subprocess.run(command, timeout=10).returncode == 0) is healthy
    (asked,) = noting_server.asked
    assert asked[:2] == ("GET", "/v1/models/recommender")


def test_the_health_check_fails_where_nobody_answers() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        command = ["bash", "-c", health_check("recommender", free.getsockname()[1])]
        assert subprocess.run(command, stderr=subprocess.DEVNULL, timeout=10).returncode != 0


def test_what_is_applied_is_what_was_shown(
    engine_settings: Settings, version: Version, programs: Any
) -> None:
    programs.install("docker")
    target = target_of(engine_settings())
    target.apply(version)
    file = str(target.folder / "compose.yaml")
    assert programs.calls == [
        ["docker", "compose", "--file", file, "config", "--quiet"],
        ["docker", "compose", "--file", file, "up", "--detach", "--remove-orphans"],
    ]
    assert target.commands(version) == [" ".join(call) for call in programs.calls]


def test_what_docker_complains_of_is_told_in_one_line(
    engine_settings: Settings, version: Version, programs: Any
) -> None:
    programs.install("docker")
    programs.answer("up", stderr="Pulling\nmanifest for tensorflow/serving:0 not found\n", status=1)
    with pytest.raises(RecommenderError) as error:
        target_of(engine_settings()).apply(version)
    assert str(error.value).endswith("--remove-orphans` fails: manifest for tensorflow/serving:0 not found")


def test_without_docker_one_line_says_what_can_be_done(engine_settings: Settings, programs: Any) -> None:
    with pytest.raises(RecommenderError) as error:
        target_of(engine_settings()).check_engine()
    assert str(error.value) == (
        "docker: not found on PATH; the docker target needs Docker with its compose plugin, "
        "or only render it with --dry-run"
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("info",), "Cannot connect to the Docker daemon at unix:///var/run/docker.sock."),
        (("compose", "version"), "docker: unknown command: docker compose"),
    ],
)
def test_an_engine_that_does_not_answer_is_told_before_anything_is_started(
    engine_settings: Settings, programs: Any, words: tuple[str, ...], complaint: str
) -> None:
    programs.install("docker")
    programs.answer(*words, stderr=f"{complaint}\n", status=1)
    with pytest.raises(RecommenderError, match=f"fails: {complaint}"):
        target_of(engine_settings()).check_engine()


def test_a_port_that_somebody_else_has_is_told(
    engine_settings: Settings, programs: Any, version: Version
) -> None:
    programs.install("docker")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        target = target_of(engine_settings(f"docker.port={taken.getsockname()[1]}"))
        with pytest.raises(RecommenderError, match=r"choose another with docker\.port=PORT"):
            target.check_engine()
        write(target, version)
        programs.answer("ps", stdout="0123456789ab\n")
        target.check_engine()  # by our own container


def test_a_container_that_has_ended_is_not_waited_for(
    engine_settings: Settings, version: Version, programs: Any, noting_server: Any
) -> None:
    programs.install("docker")
    target = target_of(engine_settings(f"docker.port={noting_server.port}"))
    write(target, version)
    with pytest.raises(RecommenderError, match=r"has ended; see docker compose .* logs"):
        target.statuses()
    assert programs.calls[-1][-4:] == ["ps", "--status", "running", "--quiet"]
    programs.answer("ps", stdout="0123456789ab\n")
    status = {"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    noting_server.answer = json.dumps({"model_version_status": [status]}).encode()
    assert [(found.version, found.state) for found in target.statuses()] == [(3, "AVAILABLE")]


def test_stopping_removes_the_container_and_is_nothing_where_there_is_none(
    engine_settings: Settings, version: Version, programs: Any
) -> None:
    target = target_of(engine_settings())
    target.stop()
    programs.install("docker")
    write(target, version)
    target.stop()
    assert programs.calls == [["docker", "compose", "--file", str(target.folder / "compose.yaml"), "down"]]


def test_paths_with_blanks_are_quoted_in_what_is_shown(engine_settings: Settings, version: Version) -> None:
    found = engine_settings("deployment.home=/srv/my models")
    target = ComposeTarget(found, Path("/srv/my models/recommender"))
    assert "--file '/srv/my models/recommender/compose.yaml' up" in target.commands(version)[-1]
    assert "'/srv/my models/recommender/compose.yaml' logs" in target.logs
