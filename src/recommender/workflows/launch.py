"""Run a workflow from its settings file: check the settings, then start its Metaflow flow and watch it.

The deployment workflow is no flow but a function, `recommender.deployment.deploy`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from recommender.cluster.checks import check_gang
from recommender.config import ENVIRONMENT, Settings, read_yaml, resolve
from recommender.errors import ConfigError, RecommenderError
from recommender.versions import Version
from recommender.whole_files import write_whole
from recommender.workflows import cluster
from recommender.workflows.environment import set_metaflow_defaults
from recommender.workflows.hand_over import bring_version, send_inputs
from recommender.workflows.validation import validate

CLUSTER_FILE = "cluster.yaml"  # in a run's folder
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Workflow:
    """A Metaflow flow that `recommender run` starts: its file in the checkout and its class."""

    file: str
    flow: str


# Which workflow a settings file is for, by its key workflow.kind.
WORKFLOWS = {"train": Workflow("workflow_train_model.py", "TrainModelFlow")}
DEPLOY = "deploy"
KINDS = (*WORKFLOWS, DEPLOY)


@dataclass(frozen=True)
class Launch:
    """One flow about to run: the flow's file and the settings it gets."""

    workflow: Workflow
    file: Path
    settings: Settings


@dataclass(frozen=True)
class Outcome:
    """How a flow ended: its exit status, the signal that stopped it, and Metaflow's id of the run."""

    status: int
    stopped_by: int | None
    run_id: str | None


def kind_of(settings_file: Path) -> str:
    """Which kind of workflow a settings file is for; raises `ConfigError` where it is none that there is."""
    return _kind(read_yaml(settings_file))


def _kind(tree: Mapping[str, Any]) -> str:
    section = tree.get("workflow")
    kind = section.get("kind", "train") if isinstance(section, dict) else "train"
    if kind not in KINDS:
        raise ConfigError(f"workflow.kind: must be one of {', '.join(KINDS)}, received {kind!r}")
    return kind


def check(settings_file: Path, overrides: Iterable[str] = ()) -> Launch:
    """Find the flow that a settings file is for and check the settings; raises `ConfigError`."""
    tree = read_yaml(settings_file)
    workflow = WORKFLOWS[_kind(tree)]
    settings = resolve(tree, overrides)
    validate(settings)
    check_gang(settings)
    return Launch(workflow, _find(workflow.file, settings_file), settings)


def run(launch: Launch, resume: str | None = None) -> Outcome:
    """Run the flow, or resume the run with this id, in the same interpreter; its output is passed through.

    Here or in containers of a cluster, as `workflow.target` says; a run is resumed where it was.
    """
    settings = (
        _settings_of_run(launch, resume) if resume else send_inputs(cluster.with_endpoint(launch.settings))
    )
    with tempfile.TemporaryDirectory() as folder:
        run_id_file = Path(folder) / "run-id"
        command = run_command(launch, settings, resume)
        command += ["--run-id-file", str(run_id_file)]
        status, stopped_by = _run_in_group(command, _environment(settings))
        run_id = run_id_file.read_text(encoding="utf-8").strip() if run_id_file.exists() else None
    if run_id and settings.workflow.target != "local":
        _remember(settings, run_id)
    return Outcome(status, stopped_by, run_id)


def run_command(launch: Launch, settings: Settings, resume: str | None = None) -> list[str]:
    """Metaflow's command for a run with these settings; a resumed one takes them from the run of before."""
    flow = [sys.executable, str(launch.file), "--no-pylint", *cluster.options(settings.workflow)]
    if resume:
        return [*flow, "resume", "--origin-run-id", resume]
    return [*flow, "--config-value", "settings", settings.to_yaml(), "run"]


def template_command(launch: Launch, settings: Settings) -> list[str]:
    """Metaflow's command that writes an Argo WorkflowTemplate to its standard output."""
    name = cluster.template_name(settings.workflow)
    return [*run_command(launch, settings)[:-1], "argo-workflows", "--name", name, "create", "--only-json"]


def write_template(launch: Launch) -> Path:
    """Let Metaflow write the flow as an Argo WorkflowTemplate, with its code in the storage; the file.

    Nothing is sent to a cluster. Raises `RecommenderError` with Metaflow's words where it does not.
    """
    settings = send_inputs(cluster.with_endpoint(launch.settings))
    command = template_command(launch, settings)
    answer = subprocess.run(command, env=_environment(settings), capture_output=True, text=True)
    if answer.returncode:
        raise RecommenderError(f"Argo's template could not be made: {' '.join(answer.stderr.split())}")
    settings.workflow.runs.mkdir(parents=True, exist_ok=True)
    path = settings.workflow.runs / f"{cluster.template_name(settings.workflow)}.argo.json"
    write_whole(path, answer.stdout)
    return path


def find_run(launch: Launch, run_id: str) -> str:
    """The id of an earlier run, itself or for `latest`; raises `RecommenderError` where there is none."""
    os.environ.update(_environment(_settings_of_run(launch, run_id)))  # Metaflow reads it once
    known = _known_runs(launch)
    if known and run_id == "latest":
        return known[0]
    if run_id not in known:
        newest = ", ".join(known[:5]) or "none"
        raise RecommenderError(f"there is no run {run_id} of {launch.workflow.flow}; the newest: {newest}")
    return run_id


def published(launch: Launch, run_id: str) -> Version:
    """The version that a finished run of the flow has published; one of a cluster is brought here."""
    settings = _settings_of_run(launch, run_id)
    os.environ.update(_environment(settings))
    from metaflow import Run, namespace

    namespace(None)  # also runs of another user name
    data = Run(f"{launch.workflow.flow}/{run_id}").data
    return bring_version(settings, Version(data.version, Path(data.version_folder)))


def _known_runs(launch: Launch) -> list[str]:
    """Ids of all runs of the flow, newest first."""
    from metaflow import Flow, namespace
    from metaflow.exception import MetaflowNotFound

    namespace(None)  # also runs of another user name
    try:
        return [run.id for run in Flow(launch.workflow.flow)]
    except MetaflowNotFound:
        return []


def _find(file: str, settings_file: Path) -> Path:
    """The flow's file: beside the settings, or else in the checkout that this package is installed from."""
    checkout = Path(__file__).parents[3]
    for folder in (settings_file.absolute().parent, checkout):
        if (folder / file).is_file():
            return folder / file
    raise RecommenderError(f"{file}: found neither beside {settings_file} nor in {checkout}")


def _environment(settings: Settings) -> dict[str, str]:
    """The flow's environment: without the variables that the settings it gets have already taken in."""
    environ = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    set_metaflow_defaults(environ)
    return environ | cluster.environment(settings.workflow)


def _remember(settings: Settings, run_id: str) -> None:
    """Keep where a run of a cluster was and with which settings; its steps keep all else in the storage."""
    path = settings.workflow.runs / run_id / CLUSTER_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, settings.to_yaml())


def _settings_of_run(launch: Launch, run_id: str) -> Settings:
    """Those that a run of a cluster was begun with, by a command line that is gone; or else the file's."""
    path = launch.settings.workflow.runs / run_id / CLUSTER_FILE
    return resolve(read_yaml(path), environ={}) if path.is_file() else launch.settings


def _run_in_group(command: list[str], environ: dict[str, str]) -> tuple[int, int | None]:
    """Run a command in a process group of its own; its exit status, and the last signal passed on to it.

    Metaflow counts on its tasks getting the same signal, as they do from Ctrl-C in a terminal.
    """
    received: list[int] = []
    groups: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        received.append(number)
        for group in groups:
            with suppress(ProcessLookupError):  # it has just ended
                os.killpg(group, number)

    before = {number: signal.signal(number, pass_on) for number in FORWARDED}
    try:
        with subprocess.Popen(command, env=environ, process_group=0) as process:
            groups.append(process.pid)
            if received:  # before there was a group
                os.killpg(process.pid, received[-1])
            status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status, received[-1] if received else None
