"""The image of the workflow's steps, as far as it can be read without a Docker engine."""

from __future__ import annotations

import json
import re
import shlex
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTRUCTIONS = {"FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "CMD"}


def instructions() -> list[tuple[str, str]]:
    """Each instruction and what follows it, with its lines joined."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", " ")
    parts = [line.split(None, 1) for line in text.splitlines() if line.strip()]
    return [(word, " ".join(rest.split())) for word, rest in parts]


def said(instruction: str) -> list[str]:
    return [rest for word, rest in instructions() if word == instruction]


def copied() -> list[str]:
    """Every file and folder of the checkout that goes into the image."""
    return [source for rest in said("COPY") for source in shlex.split(rest)[:-1]]


def test_all_instructions_are_known() -> None:
    assert {word for word, _ in instructions()} <= INSTRUCTIONS
    assert json.loads(said("CMD")[0]) == ["recommender", "--help"]


def test_the_base_is_one_exact_slim_release_of_a_python_that_the_project_supports() -> None:
    (base,) = said("FROM")
    assert re.fullmatch(r"python:3\.(11|12|13)\.\d+-slim-\w+", base)


def test_containers_run_as_a_user_that_is_not_root_and_named_by_number() -> None:
    """`runAsNonRoot` refuses an image whose user is a name: the kubelet cannot know that it is not root."""
    (user,) = said("USER")
    number = user.split(":")[0]
    assert int(number) > 0
    assert f"--uid {number} " in " ".join(said("RUN"))
    assert [word for word, _ in instructions()][-2:] == ["USER", "CMD"]


def test_the_lock_is_installed_as_it_is_and_nothing_besides() -> None:
    installed = [command for command in said("RUN") if "pip install" in command]
    assert "--requirement requirements.txt" in installed[0]
    assert len(installed) == 2
    assert all("--no-deps" in command and "--no-cache-dir" in command for command in installed)


def test_what_the_workflow_needs_is_copied_and_exists() -> None:
    assert all((ROOT / source).exists() for source in copied())
    assert {"requirements.txt", "src", "workflow_train_model.py", "workflow-train-model.yaml"} <= set(
        copied()
    )


@pytest.mark.parametrize("secret", ["data/raw", ".git", ".venv", ".env", "tests", ".metaflow"])
def test_the_build_sees_what_it_copies_and_nothing_else(secret: str) -> None:
    """The last pattern that matches decides (Docker's documentation of .dockerignore)."""
    patterns = [
        line
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]

    def ignored(path: str) -> bool:
        matching = [line for line in patterns if fnmatch(path, line.removeprefix("!"))]
        return bool(matching) and not matching[-1].startswith("!")

    assert ignored(secret)
    assert not any(ignored(source) for source in copied())


def test_tasks_install_nothing_of_their_own() -> None:
    assert any("METAFLOW_SKIP_INSTALL_DEPENDENCIES=1" in variables for variables in said("ENV"))
