"""The deployment workflow: choose a version, check it, make it the one that serves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recommender.deployment.change import LOCK, Say, change
from recommender.deployment.record import Record, make_folder, read_record, write_text
from recommender.deployment.selection import select_version
from recommender.deployment.settings import DeploySettings
from recommender.deployment.targets import make_target
from recommender.errors import RecommenderError
from recommender.folder_lock import alone
from recommender.smoke import check_version, read_smoke
from recommender.versions import Version

DRY_RUN = "dry-run"


@dataclass(frozen=True)
class Plan:
    """What deploying would do: the version, where the rendered files are, the commands."""

    version: Version
    folder: Path
    files: list[str]
    commands: list[str]


def plan(settings: DeploySettings) -> Plan:
    """Choose the version, render and validate its files into `<deployment>/dry-run/`; starts nothing."""
    version = select_version(settings.model, settings.versions)
    target = make_target(settings, settings.folder / DRY_RUN)  # so that the commands take these very files
    files = target.files(version)
    target.validate(files)
    for name, text in files.items():
        write_text(target.folder / name, text)
    return Plan(version, target.folder, list(files), target.commands(version))


def deploy(settings: DeploySettings, say: Say = print) -> Record:
    """Deploy the version that the settings ask for and return the record; `say` gets a line at each step.

    Where it does not become AVAILABLE, or does not answer as at export, the version before is brought back,
    or, with none before, everything is stopped; then `RecommenderError` says why.
    """
    settings = settings.absolute()
    version = select_version(settings.model, settings.versions)
    say(f"version {version.number} ({settings.model.version}) of {settings.workflow.name}: {version.folder}")
    smoke = read_smoke(version.folder) if settings.deployment.smoke else None
    if smoke is not None:
        deployment = settings.deployment
        difference = check_version(version.folder, deployment.tolerance, deployment.wait_seconds)
        say(f"loaded and asked: {smoke.agreement(difference)}")
    make_folder(settings.folder)
    with alone(settings.folder, LOCK):
        before = read_record(settings.folder)
        _check_same_target(before, settings)
        target = make_target(settings, settings.folder, before.details if before else None)
        target.check_engine()
        record = change(target, before, version, smoke, "deployed", say)
    say(f"ask it: {target.curl(smoke.first_row() if smoke is not None else None)}")
    return record


def _check_same_target(before: Record | None, settings: DeploySettings) -> None:
    """What runs at one target is not left running unseen by deploying the same name to another one."""
    wanted = settings.deployment
    if before is None or before.state == "stopped" or before.settings.deployment.target == wanted.target:
        return
    raise RecommenderError(
        f"{before.name} runs at target {before.settings.deployment.target}, not {wanted.target}: "
        f"stop it first (recommender stop {before.name}), or choose another deployment.name"
    )
