"""The arguments by which commands take settings: `--config FILE` and `KEY=VALUE`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from recommender.config import Settings, load_settings
from recommender.workflows.validation import validate

DEFAULT_FILE = Path("workflow-train-model.yaml")


def config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--config`, which reaches the command as `config`."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        help=f"Settings file; {DEFAULT_FILE} of the working directory if there is one.",
    )(command)


def takes_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--config` and `KEY=VALUE ...`; the command gets the checked result as `settings`."""

    @config_option
    @click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
    @wraps(command)
    def wrapped(*args: Any, config: Path | None, overrides: tuple[str, ...], **kwargs: Any) -> Any:
        return command(*args, settings=read(config, overrides), **kwargs)

    return wrapped


def read(config: Path | None, overrides: tuple[str, ...] = ()) -> Settings:
    """Checked settings from a file (or the default one, or none) and `KEY=VALUE`."""
    if config is None and DEFAULT_FILE.exists():
        config = DEFAULT_FILE
    settings = load_settings(config, overrides)
    validate(settings)
    return settings
