"""`recommender run`: a whole workflow from its settings file."""

from __future__ import annotations

from pathlib import Path

import click

from recommender.cli.deployment import deploy, show_plan
from recommender.cli.suggestion import same_places, spelled, suggest
from recommender.cli.tables import metrics_table
from recommender.errors import RecommenderError
from recommender.workflows import launch


@click.command()
@click.argument("settings_file", type=click.Path(path_type=Path))
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--resume", metavar="RUN", help="Go on with a run that failed or was stopped: its id, or latest."
)
@click.option("--dry-run", is_flag=True, help="Only render and check what a deployment would start.")
def run(settings_file: Path, overrides: tuple[str, ...], resume: str | None, dry_run: bool) -> None:
    """Run the workflow that SETTINGS_FILE describes: training or deployment.

    As in: recommender run workflow-train-model.yaml data.dataset=ml-100k training.epochs=20
    """
    deploys = launch.kind_of(settings_file) == launch.DEPLOY
    if resume and (deploys or overrides):
        what = "a deployment is not resumed" if deploys else "a resumed run keeps its settings"
        raise click.UsageError(f"{what}; leave out {'--resume' if deploys else ' '.join(overrides)}")
    if dry_run and not deploys:
        raise click.UsageError(f"--dry-run is for deployments; {settings_file} describes a training")
    if dry_run:
        show_plan(settings_file, overrides)
    elif deploys:
        deploy(settings_file, overrides)
    else:
        _train(settings_file, overrides, resume)


def _train(settings_file: Path, overrides: tuple[str, ...], resume: str | None) -> None:
    started = launch.check(settings_file, overrides)
    if started.settings.workflow.target == "argo":
        _write_template(started, resume)
        return
    if resume is None:
        click.echo(started.settings.to_yaml())
        outcome = launch.run(started)
    else:
        outcome = launch.run(started, launch.find_run(started, resume))
    if outcome.run_id is None or outcome.stopped_by or outcome.status:
        raise _failure(settings_file, outcome)
    version = launch.published(started, outcome.run_id)
    click.echo(metrics_table(version.metrics()))
    click.echo(f"published version {version.number} in {version.folder}")
    suggest("recommend", "--user", "42", *same_places(started.settings, version.folder))


def _write_template(started: launch.Launch, resume: str | None) -> None:
    """Write what Argo Workflows runs, and say how to hand it over."""
    if resume is not None:
        raise click.UsageError("with workflow.target=argo a run is resumed by Argo: argo retry RUN")
    path = launch.write_template(started)
    namespace = started.settings.workflow.namespace
    click.echo(f"wrote {path}")
    click.echo(f"next: kubectl apply --namespace {namespace} --filename {path}")
    click.echo(f"then: argo submit --namespace {namespace} --from workflowtemplate/{path.name.split('.')[0]}")


def _failure(settings_file: Path, outcome: launch.Outcome) -> RecommenderError:
    """What to say of a run that did not reach its end."""
    happened = (
        "the workflow was stopped" if outcome.stopped_by else "the workflow failed, its output says why"
    )
    if outcome.run_id is not None:
        happened += f"; to go on with it: {spelled('run', str(settings_file), '--resume', outcome.run_id)}"
    error = RecommenderError(happened)
    error.exit_status = 128 + outcome.stopped_by if outcome.stopped_by else 1  # as shells report signals
    return error
