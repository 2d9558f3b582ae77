"""Making a deployment serve another version, and bringing back what served before where that fails."""

from __future__ import annotations

from collections.abc import Callable

from recommender.deployment.bring_up import bring_up, check_answer, wait_until_available
from recommender.deployment.record import Event, Record, State, write_record
from recommender.deployment.settings import DeploySettings
from recommender.deployment.targets import make_target
from recommender.deployment.targets.target import Target
from recommender.errors import INTERRUPTED, RecommenderError
from recommender.smoke import Smoke
from recommender.versions import Version, resolve

Say = Callable[[str], None]
LOCK = "deployment"  # two commands at once would each undo what the other does


def change(
    target: Target, before: Record | None, version: Version, smoke: Smoke | None, event: Event, say: Say
) -> Record:
    """Make a deployment serve another version, or bring back the one `before`; to be called locked."""
    seconds = target.settings.deployment.wait_seconds
    begun = _begun(target, before)
    try:
        bring_up(target, version)
        write_record(begun.model_copy(update={"details": target.details}), target.folder)
        say(f"waiting until version {version.number} is AVAILABLE at {target.url}; logs: {target.logs}")
        wait_until_available(target, version, seconds)
        if smoke is not None:
            difference = check_answer(target, version, smoke, seconds)
            say(f"asked over REST: {smoke.agreement(difference)}")
        served = begun.after(
            event, version.number, state="serving", version=version.number, details=target.details
        )
        write_record(served, target.folder)
    except KeyboardInterrupt:
        failure = _go_back(target, before, begun, version, "interrupted")
        failure.exit_status = INTERRUPTED
        raise failure from None
    except RecommenderError as error:
        raise _go_back(target, before, begun, version, str(error)) from None
    say(f"{served.name}: version {version.number} serves at {served.url}; logs: {served.logs}")
    return served


def _begun(target: Target, before: Record | None) -> Record:
    """The record while the change goes on. The versions of another model are no way back."""
    same_model = before is not None and before.settings.versions == target.settings.versions
    return Record(
        settings=target.settings,
        state="starting",
        version=before.version if before and before.is_meant_to_run else None,
        url=target.url,
        logs=target.logs,
        history=before.history if before and same_model else [],
    )


def _go_back(
    target: Target, before: Record | None, begun: Record, version: Version, why: str
) -> RecommenderError:
    """Restore what was there before; returns the error that says all that has happened."""
    if before is None or not before.is_meant_to_run or before.version is None:
        left = begun.model_copy(update={"version": None})
        state, outcome = _end(target)
    else:
        left = before
        target = make_target(before.settings, target.folder, target.details)
        state, outcome = _restore(target, before.settings, before.version)
    said = [
        f"{begun.name}: version {version.number} is not deployed: {why}",
        f"{outcome}; logs: {target.logs}",
    ]
    try:
        changed = left.after("refused", version.number, why, state=state, details=target.details)
        write_record(changed, target.folder)
    except RecommenderError as error:
        said.append(str(error))
    return RecommenderError("\n".join(said))


def _end(target: Target) -> tuple[State, str]:
    try:
        target.stop()
    except RecommenderError as error:
        return "failed", f"no version served before it, and stopping it failed too: {error}"
    return "stopped", "no version served before it, so it is stopped"


def _restore(target: Target, settings: DeploySettings, number: int) -> tuple[State, str]:
    try:
        version = resolve(settings.versions, number)
        bring_up(target, version)
        wait_until_available(target, version, settings.deployment.wait_seconds)
    except RecommenderError as error:
        return "failed", f"going back to version {number} failed too: {error}"
    return "serving", f"went back to version {number}, which serves at {target.url}"
