"""`recommender worker`: this process's place in a cluster that trains together."""

from __future__ import annotations

import os

import click

from recommender.cli.settings import takes_settings
from recommender.cli.suggestion import suggest
from recommender.config import Settings
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
    from recommender.cluster.checks import check_cluster
    from recommender.cluster.process import take_part
    from recommender.cluster.tf_config import read_cluster

    cluster = read_cluster(os.environ)
    check_cluster(settings, cluster)
    folder = settings.workflow.runs.absolute() / name
    if cluster.leads:
        folder = runs.open_run(settings, name)
    take_part(settings, cluster, folder)
    if cluster.leads:
        click.echo(f"trained in {folder}")
        suggest("evaluate", "--run", name)
