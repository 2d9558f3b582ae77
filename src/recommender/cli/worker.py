"""`recommender worker`: this process's place in a cluster that trains together."""

from __future__ import annotations

import os
from pathlib import Path

import click

from recommender.cli.settings import takes_settings
from recommender.cli.suggestion import same_places, suggest
from recommender.config import Settings
from recommender.errors import ConfigError
from recommender.workflows import runs


@click.command()
@click.option("--run", "name", metavar="RUN", required=True, help="Name of the run, the same for all.")
@takes_settings
def worker(settings: Settings, name: str) -> None:
    """Train with the other members of the cluster that TF_CONFIG describes.

    Started with the same arguments on every machine: workers, and the chief and the parameter servers where
    there are some. All must see the folder workflow.runs. The same command again goes on from the last
    checkpoint.
    """
    from recommender.cluster.checks import check_cluster, check_threads
    from recommender.cluster.process import take_part
    from recommender.cluster.tf_config import read_cluster

    cluster = read_cluster(os.environ)
    check_cluster(settings, cluster)
    check_threads(cluster, os.environ)
    folder = settings.workflow.runs.absolute() / name
    if cluster.leads:
        _check_begun_with(settings, folder)
        folder = runs.open_run(settings, name)
    take_part(settings, cluster, folder)
    if cluster.leads:
        click.echo(f"trained in {folder}")
        suggest("evaluate", "--run", name, *same_places(settings, folder))


def _check_begun_with(settings: Settings, folder: Path) -> None:
    """Raise `ConfigError` where a run goes by other settings already, whose checkpoints would be mixed up."""
    from recommender.cluster.checks import fingerprint

    begun = (folder / runs.SETTINGS_FILE).is_file()
    if begun and fingerprint(runs.read_settings(folder)) != fingerprint(settings):
        raise ConfigError(f"{folder}: was begun with other settings; take another --run")
