"""`recommender features push`."""

from __future__ import annotations

import click

from recommender.cli.settings import takes_settings
from recommender.config import Settings


@click.group()
def features() -> None:
    """The online feature store."""


@features.command()
@click.option(
    "--store",
    default="sqlite:data/features.sqlite",
    show_default=True,
    envvar="REDIS_URL",
    show_envvar=True,
    help="sqlite:FILE or redis://HOST:PORT/DATABASE.",
)
@takes_settings
def push(settings: Settings, store: str) -> None:
    """Fill the store from the prepared data.

    Readers see the old features until all new ones are there. Ratings that the store has received since and
    that the data does not hold are carried over.
    """
    from tqdm import tqdm

    from recommender.app import features
    from recommender.data.prepare import prepare

    backend = features.open_backend(store)
    prepared = prepare(settings)
    users, movies = len(prepared.users), len(prepared.movies)
    with tqdm(total=users + movies, desc="features", unit="row", disable=None) as bar:
        version = features.push(prepared, backend, on_progress=bar.update)
    backend.close()
    click.echo(f"version {version} of the features: {users:,} users and {movies:,} movies")
