"""`recommender fetch` and `prepare`."""

from __future__ import annotations

from pathlib import Path

import click

from recommender.cli.settings import config_option, read, takes_settings
from recommender.cli.suggestion import same_settings, suggest
from recommender.config import Settings


@click.command()
@click.argument("dataset")
@click.option("--archive", type=click.Path(path_type=Path), help="An archive fetched by hand, or its folder.")
@config_option
def fetch(dataset: str, archive: Path | None, config: Path | None) -> None:
    """Get a MovieLens data set: found on this machine or downloaded.

    DATASET is ml-100k, ml-1m, ml-10m, ml-20m, ml-25m, ml-32m, ml-latest-small or ml-latest. It is looked for
    under MOVIELENS_HOME and data/raw before it is downloaded.
    """
    from recommender.data import download

    settings = read(config)
    folder = download.fetch(dataset, settings.data.home, archive, settings.data.mirrors)
    click.echo(f"{dataset} is in {folder}")
    suggest("prepare", f"data.dataset={dataset}")


@click.command()
@takes_settings
def prepare(settings: Settings) -> None:
    """Split a data set and compute all features."""
    from recommender.data.prepare import prepare

    prepared = prepare(settings)
    click.echo(prepared.summary())
    click.echo(f"prepared in {prepared.folder}")
    suggest("train", *same_settings())
