"""`recommender query`: asking a served model over REST."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recommender.cli.deployment import home_option
from recommender.cli.exported import json_option, number_option
from recommender.cli.tables import table
from recommender.errors import RecommenderError

if TYPE_CHECKING:
    from recommender.client import ModelClient, ScoredMovie


@click.group()
def query() -> None:
    """Ask a served model over REST.

    Without --url, what `recommender run workflow-deploy-model.yaml` has deployed, or else port 8501 of this
    machine.
    """


def asks(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which model is asked; the command gets a `client`."""

    @click.option("--url", help="The server, as in http://127.0.0.1:8501.")
    @click.option(
        "--model", help="The model's name there.  [default: that of the deployment, or recommender]"
    )
    @click.option("--version", type=int, help="The version to ask; the newest that is served if not given.")
    @click.option("--deployment", metavar="NAME", help="The deployment to ask, where there are several.")
    @home_option
    @click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=30.0,
        show_default=True,
        help="Seconds.",
    )
    @wraps(command)
    def wrapped(
        *args: Any,
        url: str | None,
        model: str | None,
        version: int | None,
        deployment: str | None,
        home: Path,
        timeout: float,
        **kwargs: Any,
    ) -> Any:
        from recommender.client.model_client import DEFAULT_MODEL, DEFAULT_URL, ModelClient

        place, name = (url, None) if url else _deployed(home, deployment)
        place, name = place or DEFAULT_URL, model or name or DEFAULT_MODEL
        with ModelClient(place, name, version, timeout=(min(timeout, 3.0), timeout)) as client:
            return command(*args, client=client, **kwargs)

    return wrapped


@query.command()
@json_option
@asks
def status(client: ModelClient, as_json: bool) -> None:
    """The versions that the server has, and how far it is with them."""
    found = client.status()
    if as_json:
        click.echo(json.dumps([asdict(version) for version in found], indent=1))
        return
    rows = [
        [version.version, version.state, version.error_message or version.error_code] for version in found
    ]
    click.echo(table(["version", "state", "status"], rows))


@query.command()
@click.option("--user", required=True, help="The user's id, as in the data.")
@number_option
@click.option("--exclude", multiple=True, metavar="ID", help="A movie to leave out; may be repeated.")
@json_option
@asks
def recommend(client: ModelClient, user: str, n: int, exclude: tuple[str, ...], as_json: bool) -> None:
    """Recommend movies that a user has not rated."""
    _show_movies(client.recommend(user, n, exclude), as_json)


@query.command()
@click.option("--user", required=True, help="The user's id, as in the data.")
@number_option
@json_option
@asks
def retrieve(client: ModelClient, user: str, n: int, as_json: bool) -> None:
    """List what the retrieval model alone puts first for a user."""
    _show_movies(client.retrieve(user, n), as_json)


@query.command()
@click.option("--movie", required=True, help='The movie\'s id, or its title, as in "Toy Story (1995)".')
@number_option
@json_option
@asks
def similar(client: ModelClient, movie: str, n: int, as_json: bool) -> None:
    """List the movies most like another one."""
    _show_movies(client.similar(movie, n), as_json)


@query.command()
@click.option("--user", required=True, help="The user's id, as in the data.")
@click.option("--title", help='The movie by its title, as in "Toy Story (1995)".')
@click.option("--movie", help="The movie by its id.")
@click.option("--timestamp", type=int, help="Seconds since 1970, UTC; can be left out with --movie.")
@json_option
@asks
def rating(
    client: ModelClient,
    user: str,
    title: str | None,
    movie: str | None,
    timestamp: int | None,
    as_json: bool,
) -> None:
    """Predict what a user makes of a movie."""
    if (title is None) == (movie is None):
        raise click.UsageError("give the movie either by --title or by --movie")
    if movie is not None:
        prediction = client.rating_by_id(user, movie, timestamp)
    elif title is not None and timestamp is not None:
        prediction = client.rating(user, title, timestamp)
    else:
        raise click.UsageError("--title needs --timestamp, the second as of which to predict")
    if as_json:
        click.echo(json.dumps(asdict(prediction), indent=1))
    else:
        click.echo(f"{prediction.objective} {prediction.value:.4f}")


@query.command()
@click.option(
    "--signature", default=None, metavar="NAME", help="The signature; serving_default if not given."
)
@click.argument("request", metavar="JSON")
@asks
def predict(client: ModelClient, signature: str | None, request: str) -> None:
    """Ask any signature: JSON with "instances" or "inputs"; - reads it from standard input."""
    text = sys.stdin.read() if request == "-" else request
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"not JSON: {error}") from None
    if not isinstance(body, dict):
        raise click.UsageError('expected a JSON object, as in {"inputs": {"user_id": ["42"], "k": 10}}')
    if signature is not None:
        body["signature_name"] = signature
    click.echo(json.dumps(client.ask(body), indent=1, ensure_ascii=False))


def _deployed(home: Path, name: str | None) -> tuple[str | None, str | None]:
    """Where the deployment answers and its model's name; nothing where none is meant."""
    from recommender.deployment.record import deployment_names, find_record

    if name is None:
        names = [found for found in deployment_names(home) if find_record(home, found).is_meant_to_run]
        if not names:
            return None, None
        name = names[0] if len(names) == 1 else None
    record = find_record(home, name)
    if record.settings.deployment.target == "sagemaker":
        raise RecommenderError(
            f"{record.name} is an endpoint of SageMaker, which takes signed requests only; "
            "ask it with `aws sagemaker-runtime invoke-endpoint`"
        )
    return record.url, record.settings.workflow.name


def _show_movies(movies: list[ScoredMovie], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([asdict(movie) for movie in movies], indent=1, ensure_ascii=False))
        return
    rows = [[rank, movie.title, movie.score, movie.movie_id] for rank, movie in enumerate(movies, start=1)]
    click.echo(table(["", "title", "score", "movie id"], rows))
