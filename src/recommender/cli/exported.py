"""`recommender models`, `recommend` and `similar`: what has been exported, and its answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from recommender.cli.settings import DEFAULT_FILE, config_option, read
from recommender.cli.suggestion import suggest
from recommender.cli.tables import table
from recommender.config import Settings
from recommender.tensorflow_start import start_tensorflow
from recommender.versions import Version, list_versions, resolve

version_option = click.option(
    "--version", "number", type=int, help="The version to ask; the newest if not given."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
number_option = click.option(
    "-n", "n", type=click.IntRange(min=1), default=10, show_default=True, help="How many."
)


@click.command()
@json_option
@config_option
def models(as_json: bool, config: Path | None) -> None:
    """List the exported versions with their metrics."""
    settings = read(config)
    found = list_versions(_base(settings))
    if as_json:
        click.echo(
            json.dumps([{"version": version.number, **version.metrics()} for version in found], indent=1)
        )
    elif found:
        click.echo(
            table(["version", "data set", "split", "seed", *HEADLINES], [_row(version) for version in found])
        )
    else:
        click.echo(f"no version in {_base(settings)} yet")
        suggest("run", str(DEFAULT_FILE))


@click.command()
@click.option("--user", required=True, help="The user's id, as in the data.")
@number_option
@json_option
@version_option
@config_option
def recommend(user: str, n: int, as_json: bool, number: int | None, config: Path | None) -> None:
    """Recommend movies that a user has not rated."""
    version = resolve(_base(read(config)), number)
    start_tensorflow()
    from recommender.exported import ExportedModel

    movies = ExportedModel(version.folder).recommend(user, n)
    _show(
        movies,
        as_json,
        {"user_id": user, "version": version.number},
        f"for user {user}, by version {version.number}",
    )


@click.command()
@click.option("--movie", required=True, help='The movie\'s id, or its title, as in "Toy Story (1995)".')
@number_option
@json_option
@version_option
@config_option
def similar(movie: str, n: int, as_json: bool, number: int | None, config: Path | None) -> None:
    """List the movies most like another one."""
    version = resolve(_base(read(config)), number)
    start_tensorflow()
    from recommender.exported import ExportedModel

    movies = ExportedModel(version.folder).similar(movie, n)
    _show(
        movies,
        as_json,
        {"movie": movie, "version": version.number},
        f"like {movie}, by version {version.number}",
    )


# The metrics that tell versions apart at a glance: model, metric on the test split.
HEADLINES = {
    "rmse": ("deep_ranking", "rmse"),
    "ndcg@10": ("two_stage", "ndcg@10"),
    "accuracy@100": ("two_tower_retrieval", "accuracy@100"),
}


def _row(version: Version) -> list[object]:
    metrics = version.metrics()
    measured = [
        metrics["models"].get(model, {}).get("test", {}).get(name) for model, name in HEADLINES.values()
    ]
    return [version.number, metrics["dataset"], metrics["split"], metrics["seed"], *measured]


def _base(settings: Settings) -> Path:
    return settings.export.models / settings.workflow.name


def _show(movies: list[Any], as_json: bool, asked: dict[str, object], title: str) -> None:
    if as_json:
        answer = {**asked, "movies": [vars(movie) for movie in movies]}
        click.echo(json.dumps(answer, indent=1, ensure_ascii=False))
        return
    click.echo(f"{len(movies)} movies {title}")
    rows = [[rank, movie.title, movie.score, movie.movie_id] for rank, movie in enumerate(movies, start=1)]
    click.echo(table(["", "title", "score", "movie id"], rows))
