"""`recommender deployments`, `rollback` and `stop`, and what `run` does for a deployment."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recommender.cli.suggestion import suggest
from recommender.cli.tables import table
from recommender.config import read_yaml

if TYPE_CHECKING:
    from recommender.deployment.settings import DeploySettings

DEFAULT_HOME = Path("data/deployments")
DEPLOY_FILE = Path("workflow-deploy-model.yaml")

home_option = click.option(
    "--home",
    type=click.Path(path_type=Path),
    default=DEFAULT_HOME,
    show_default=True,
    help="The folder of deployments: deployment.home.",
)


def names_deployment(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `[NAME]` and `--home`, which say which deployment is meant."""
    return click.argument("name", required=False)(home_option(command))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
def deployments(as_json: bool, home: Path) -> None:
    """List the deployments and whether they run."""
    from recommender.deployment import overview

    found = overview(home)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1, default=_as_text))
    elif found:
        header = ["name", "target", "version", "state", "url", "since", "pid"]
        click.echo(table(header, [[_shown(getattr(one, column)) for column in header] for one in found]))
        for one in found:
            click.echo(f"logs of {one.name}: {one.logs}" + (f" ({one.error})" if one.error else ""))
    else:
        click.echo(f"no deployment in {home} yet")
        suggest("run", str(DEPLOY_FILE))


@click.command()
@click.option("--to", type=int, help="The version; the one that was served before if not given.")
@names_deployment
def rollback(name: str | None, home: Path, to: int | None) -> None:
    """Serve the version that was served before, in the same process; each further time one further back."""
    from recommender import deployment

    deployment.rollback(home, name, to, click.echo)


@click.command()
@names_deployment
def stop(name: str | None, home: Path) -> None:
    """Stop a deployment; the record and the logs stay."""
    from recommender import deployment

    deployment.stop(home, name, click.echo)


def deploy(settings_file: Path, overrides: tuple[str, ...]) -> None:
    """Deploy what a settings file describes and say how to ask it."""
    from recommender import deployment

    settings = _read(settings_file, overrides)
    click.echo(settings.to_yaml())
    record = deployment.deploy(settings, click.echo)
    home = [] if settings.deployment.home == DEFAULT_HOME else ["--home", str(settings.deployment.home)]
    # A SageMaker endpoint takes signed requests only, and a cluster's Service may have no address here.
    if settings.deployment.target in ("local", "docker") or settings.kubernetes.url:
        suggest("query", "recommend", "--user", "42", *home)
    suggest("stop", record.name, *home)


def show_plan(settings_file: Path, overrides: tuple[str, ...]) -> None:
    """Render and check what deploying would start, and show the commands."""
    from recommender.deployment import plan

    planned = plan(_read(settings_file, overrides))
    click.echo(f"version {planned.version.number}: {planned.version.folder}")
    for name in planned.files:
        click.echo(f"rendered and checked: {planned.folder / name}")
    click.echo("would run:")
    for command in planned.commands:
        click.echo(f"  {command}")


def _read(settings_file: Path, overrides: tuple[str, ...]) -> DeploySettings:
    from recommender.deployment.settings import resolve

    return resolve(read_yaml(settings_file), overrides)


def _shown(value: Any) -> Any:
    return value.astimezone().strftime("%Y-%m-%d %H:%M:%S") if hasattr(value, "astimezone") else value


def _as_text(value: Any) -> str:
    return str(value.isoformat(timespec="seconds"))
