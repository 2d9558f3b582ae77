"""`recommender tune`, `train`, `evaluate` and `export`: the stages of the workflow, one at a time."""

from __future__ import annotations

from pathlib import Path

import click

from recommender.cli.settings import config_option, read, takes_settings
from recommender.cli.suggestion import same_places, suggest
from recommender.cli.tables import metrics_table
from recommender.config import Settings
from recommender.errors import ConfigError
from recommender.workflows import runs, stages
from recommender.workflows.validation import check_one_process

run_option = click.option(
    "--run", "name", metavar="RUN", help="Name of the run; the last one begun if not given."
)


@click.command()
@takes_settings
def tune(settings: Settings) -> None:
    """Search for better settings on the validation split, tuning.trials times."""
    from recommender.data.prepare import prepare

    check_one_process(settings)
    if not settings.tuning.trials:
        raise ConfigError("tuning.trials: must be above 0 for a search, received 0")
    folder = runs.open_run(settings)
    stages.tune(settings, prepare(settings), folder)
    stages.choose(settings, folder)
    click.echo(f"the best settings are in {folder / runs.SETTINGS_FILE}")
    suggest("train", "--config", str(folder / runs.SETTINGS_FILE))


@click.command()
@takes_settings
def train(settings: Settings) -> None:
    """Fit the retrieval and the ranking model."""
    from recommender.data.prepare import prepare

    prepared = prepare(settings)
    click.echo(prepared.summary())
    folder = runs.open_run(settings)
    stages.train(settings, prepared, folder)
    click.echo(f"trained in {folder}")
    suggest("evaluate", "--run", folder.name, *same_places(settings, folder))


@click.command()
@run_option
@config_option
def evaluate(name: str | None, config: Path | None) -> None:
    """Measure a run's models beside the baselines."""
    from recommender.data.prepare import prepare

    folder = runs.find_run(read(config), name)
    settings = runs.read_settings(folder)
    prepared = prepare(settings)
    metrics = stages.evaluate(settings, prepared, stages.train(settings, prepared, folder), folder)
    click.echo(metrics_table(metrics))
    click.echo(f"measured in {folder / stages.METRICS_FILE}")
    suggest("export", "--run", folder.name, *same_places(settings, folder))


@click.command()
@run_option
@config_option
def export(name: str | None, config: Path | None) -> None:
    """Write a run's models as a SavedModel and publish it as the next version."""
    from recommender.data.prepare import prepare

    folder = runs.find_run(read(config), name)
    settings = runs.read_settings(folder)
    stages.check_measured(folder)
    prepared = prepare(settings)
    version = stages.export(settings, prepared, stages.train(settings, prepared, folder), folder)
    click.echo(f"published version {version.number} in {version.folder}")
    suggest("recommend", "--user", "42", *same_places(settings, version.folder))
