"""What to type next, in words that work where they are read."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import click

from recommender.config import Settings
from recommender.workflows.runs import SETTINGS_FILE


def suggest(*words: str) -> None:
    """Print the command to run next."""
    click.echo(f"next: {spelled(*words)}")


def same_settings() -> list[str]:
    """The `--config` and `KEY=VALUE` that the running command was given."""
    given = click.get_current_context().params
    config = ["--config", str(given["config"])] if given["config"] else []
    return [*config, *given["overrides"]]


def same_places(settings: Settings, folder: Path) -> list[str]:
    """The `--config` that a next command needs where runs and models are not where it would look.

    `folder` is that of the run or version, which has its settings in it.
    """
    usual = Settings()
    as_usual = (
        settings.workflow.runs == usual.workflow.runs
        and settings.workflow.name == usual.workflow.name
        and settings.export.models == usual.export.models
    )
    return [] if as_usual else ["--config", str(folder / SETTINGS_FILE)]


def spelled(*words: str) -> str:
    """A `recommender` command as this shell finds it: with its path unless it is on PATH."""
    program = Path(sys.argv[0])
    found = shutil.which("recommender")
    here = program.name == "recommender" and program.exists()
    on_path = found is not None and here and Path(found).samefile(program)
    return shlex.join([str(program) if here and not on_path else "recommender", *words])
