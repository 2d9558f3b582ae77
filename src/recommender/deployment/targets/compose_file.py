"""The Compose file of the docker target."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from recommender.deployment.settings import DeploySettings, mebibytes
from recommender.deployment.targets import model_server
from recommender.deployment.targets.rendered_yaml import render
from recommender.errors import RecommenderError

SERVICE = "model-server"
NOBODY = 65_534
SCHEMA = "vendor.compose-spec"  # a copy of compose-spec.json that check-jsonschema brings along


def compose_file(settings: DeploySettings, config_folder: Path) -> str:
    """YAML for `docker compose`: one hardened service.

    It is the same for every version: which one is served is in `config_folder`, which the server polls, so
    that a change of version replaces no container.
    """
    content = {"name": settings.deployment.name, "services": {SERVICE: _service(settings, config_folder)}}
    return render([content]).replace("$", "$$")  # Compose would take a $ in a path for a variable


def _service(settings: DeploySettings, config_folder: Path) -> dict[str, Any]:
    docker = settings.docker
    return {
        "image": docker.image,
        "init": True,  # as process 1 the server would ignore SIGTERM
        "entrypoint": [model_server.PROGRAM],
        "command": model_server.arguments(docker.cpus, docker.request_seconds),
        "user": _user(),
        "ports": [{"target": model_server.REST_PORT, "published": str(docker.port), "host_ip": docker.host}],
        "volumes": [
            _read_only(settings.versions, model_server.model_folder(settings)),
            # The folder and not its file: a file that is replaced by a rename stays the old one in there.
            _read_only(config_folder, model_server.CONFIG_FOLDER),
        ],
        "read_only": True,
        "tmpfs": ["/tmp"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "restart": "unless-stopped",
        "stop_grace_period": "10s",
        "deploy": {"resources": {"limits": _limits(settings)}},
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
        "healthcheck": {
            "test": ["CMD", "bash", "-c", health_check(settings.workflow.name, model_server.REST_PORT)],
            "interval": "10s",
            "timeout": "5s",
            "retries": 3,
            "start_period": f"{round(settings.deployment.wait_seconds)}s",
        },
    }


def health_check(model: str, port: int) -> str:
    """A bash command that succeeds where a version of the model is AVAILABLE.

    The image has neither curl nor wget: its Dockerfile (tensorflow_serving/tools/docker/Dockerfile) adds
    nothing but ca-certificates to Ubuntu. It has bash, in which its entry point is written, and Ubuntu's bash
    opens /dev/tcp.
    """
    request = rf"GET /v1/models/{model} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return f"exec 3<>/dev/tcp/127.0.0.1/{port} && printf '{request}' >&3 && grep --quiet '\"AVAILABLE\"' <&3"


def check_compose_file(text: str) -> None:
    """Hold a Compose file against the schema of the Compose specification; raises `RecommenderError`."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    problem = best_match(Draft202012Validator(_schema()).iter_errors(yaml.safe_load(text)))
    if problem is not None:
        raise RecommenderError(f"compose.yaml: {problem.json_path}: {problem.message}")


@cache
def _schema() -> dict[str, Any]:
    from check_jsonschema.builtin_schemas import get_builtin_schema

    return get_builtin_schema(SCHEMA)


def _read_only(source: Path, target: str) -> dict[str, Any]:
    bind = {"create_host_path": False}  # a folder that is missing is an error and not made by root
    return {"type": "bind", "source": str(source), "target": target, "read_only": True, "bind": bind}


def _limits(settings: DeploySettings) -> dict[str, Any]:
    return {
        "cpus": str(settings.docker.cpus),
        "memory": f"{mebibytes(settings.docker.memory)}m",
        "pids": 1_024,
    }


def _user() -> str:
    """Whoever deploys, who can read the versions; nobody instead of root."""
    return f"{os.getuid()}:{os.getgid()}" if os.getuid() else f"{NOBODY}:{NOBODY}"
