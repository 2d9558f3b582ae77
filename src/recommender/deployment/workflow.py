"""The deployment workflow: choose a version, check it, run it, check what runs, or go back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recommender.deployment.bring_up import bring_up, check_answer, wait_until_available
from recommender.deployment.record import Event, Record, State, read_record, write_record, write_text
from recommender.deployment.selection import select_version
from recommender.deployment.settings import DeploySettings
from recommender.deployment.targets import make_target
from recommender.deployment.targets.target import Target
from recommender.errors import RecommenderError
from recommender.smoke import Smoke, check_version, read_smoke
from recommender.versions import Version, resolve
from recommender.workflows.runs import alone

Say = Callable[[str], None]
DRY_RUN = "dry-run"
LOCK = "deployment"  # two commands at once would each undo what the other does


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
    target = make_target(settings, settings.folder)
    files = target.files(version)
    target.validate(files)
    folder = settings.folder / DRY_RUN
    for name, text in files.items():
        write_text(folder / name, text)
    return Plan(version, folder, list(files), target.commands(version))


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
        say(f"loaded and asked: {_same(smoke, difference)}")
    settings.folder.mkdir(parents=True, exist_ok=True)
    with alone(settings.folder, LOCK):
        before = read_record(settings.folder)
        target = make_target(settings, settings.folder, before.details if before else None)
        _check_same_target(before, target)
        target.check_engine()
        record = change(target, before, version, smoke, "deployed", say)
    say(f"ask it: {target.curl(smoke.first_row() if smoke is not None else None)}")
    return record


def change(
    target: Target, before: Record | None, version: Version, smoke: Smoke | None, event: Event, say: Say
) -> Record:
    """Make a deployment serve another version, or bring back the one `before`; to be called locked."""
    seconds = target.settings.deployment.wait_seconds
    record = Record(
        settings=target.settings,
        state="starting",
        version=before.version if before and before.is_meant_to_run else None,
        url=target.url,
        logs=target.logs,
        history=before.history if before else [],
    )
    try:
        bring_up(target, version)
        write_record(record.model_copy(update={"details": target.details}), target.folder)
        say(f"waiting until version {version.number} is AVAILABLE at {target.url}; logs: {target.logs}")
        wait_until_available(target, version, seconds)
        if smoke is not None:
            difference = check_answer(target, version, smoke, seconds)
            say(f"asked over REST: {_same(smoke, difference)}")
    except (RecommenderError, KeyboardInterrupt) as error:
        why = str(error) or "interrupted"
        raise _go_back(target, before, record, version, why) from None
    record = record.after(
        event, version.number, state="serving", version=version.number, details=target.details
    )
    write_record(record, target.folder)
    say(f"{record.name}: version {version.number} serves at {record.url}; logs: {record.logs}")
    return record


def _go_back(
    target: Target, before: Record | None, record: Record, version: Version, why: str
) -> RecommenderError:
    """Restore what was there before; returns the error that says what has happened."""
    failed = f"{record.name}: version {version.number} is not deployed: {why}"
    if record.version is None or before is None:
        target.stop()
        _write_refused(record, version, why, target, state="stopped")
        return RecommenderError(
            f"{failed}\nno version served before it, so it is stopped; logs: {target.logs}"
        )
    earlier = make_target(before.settings, target.folder, target.details)
    try:
        previous = resolve(before.settings.versions, record.version)
        bring_up(earlier, previous)
        wait_until_available(earlier, previous, before.settings.deployment.wait_seconds)
    except RecommenderError as error:
        _write_refused(before, version, why, earlier, state="failed")
        return RecommenderError(
            f"{failed}\ngoing back to version {record.version} failed too: {error}; logs: {earlier.logs}"
        )
    _write_refused(before, version, why, earlier, state="serving")
    return RecommenderError(
        f"{failed}\nwent back to version {record.version}, which serves at {earlier.url}; "
        f"logs: {earlier.logs}"
    )


def _write_refused(record: Record, version: Version, why: str, target: Target, *, state: State) -> None:
    changed = record.after("refused", version.number, why, state=state, details=target.details)
    write_record(changed, target.folder)


def _check_same_target(before: Record | None, target: Target) -> None:
    """What runs at one target is not left running unseen by deploying the same name to another one."""
    wanted = target.settings.deployment
    if before is None or not before.is_meant_to_run or before.settings.deployment.target == wanted.target:
        return
    raise RecommenderError(
        f"{before.name} runs at target {before.settings.deployment.target}, not {wanted.target}: "
        f"stop it first (recommender stop {before.name}), or choose another deployment.name"
    )


def _same(smoke: Smoke, difference: float) -> str:
    return f"{len(smoke.predictions)} predictions as at export, at most {difference:.1g} apart"
