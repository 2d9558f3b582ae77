"""`recommender features push`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from recommender.cli.settings import takes_settings
from recommender.config import Settings
from recommender.similarity import METHODS

if TYPE_CHECKING:
    from recommender.data.prepared import Prepared
    from recommender.similarity.neighbours import Neighbours


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
@click.option(
    "--similar",
    default=",".join(METHODS),
    show_default=True,
    help="Tables of similar movies to make and to push; '' makes none.",
)
@takes_settings
def push(settings: Settings, store: str, similar: str) -> None:
    """Fill the store from the prepared data.

    Readers see the old features until all new ones are there. Ratings that the store has received since and
    that the data does not hold are carried over.
    """
    from tqdm import tqdm

    from recommender.app import features
    from recommender.data.prepare import prepare
    from recommender.similarity.methods import check_methods

    methods = [name for name in similar.split(",") if name]
    check_methods(methods)
    backend = features.open_backend(store)
    prepared = prepare(settings)
    tables = _similar_movies(prepared, methods, settings.seed)
    users, movies = len(prepared.users), len(prepared.movies)
    with tqdm(total=users + movies, desc="features", unit="row", disable=None) as bar:
        version = features.push(
            prepared,
            backend,
            on_progress=bar.update,
            similar=tables,
            half_life_days=settings.evaluation.half_life_days,
        )
    backend.close()
    click.echo(f"version {version} of the features: {users:,} users and {movies:,} movies")
    if tables:
        click.echo(f"similar movies by {', '.join(tables)}")


def _similar_movies(prepared: Prepared, methods: list[str], seed: int) -> dict[str, Neighbours]:
    """Tables learned from all ratings that the features show."""
    from tqdm import tqdm

    from recommender.app.features.push import visible_ratings
    from recommender.similarity.methods import STEPS, Known, similar_movies

    known = Known.of(prepared, visible_ratings(prepared))
    tables = {}
    with tqdm(total=sum(STEPS[name] for name in methods), unit="step", disable=None) as bar:
        for name in methods:
            bar.set_description(f"similar movies by {name}")
            tables[name] = similar_movies(name, known, seed, bar.update)
    return tables
