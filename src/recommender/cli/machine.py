"""`recommender doctor`."""

from __future__ import annotations

from pathlib import Path

import click

from recommender.cli.settings import config_option, read


@click.command()
@config_option
@click.pass_context
def doctor(context: click.Context, config: Path | None) -> None:
    """Say what this machine has, what is missing and the command that mends it."""
    from recommender.doctor import examine

    findings = examine(read(config))
    for finding in findings:
        click.echo(f"{finding.state:<8} {finding.subject:<20} {finding.text}")
        if finding.remedy:
            click.echo(f"{'':<8} {'':<20} mend it with: {finding.remedy}")
    if any(finding.state == "missing" for finding in findings):
        context.exit(1)
