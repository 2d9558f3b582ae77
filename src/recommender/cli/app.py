"""`recommender app`: the online recommender."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recommender.tensorflow_threads import leave_threads
from recommender.workflows.runs import SETTINGS_FILE

if TYPE_CHECKING:
    from recommender.app.application import Application
    from recommender.app.settings import AppSettings
    from recommender.versions import Version


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; the defaults if not given.")
@click.option("--push", is_flag=True, help="Fill the store anew, from the data of the model that answers.")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
def app(config: Path | None, push: bool, overrides: tuple[str, ...]) -> None:
    """Serve recommendations: pages, and JSON under /api/v1, described at /docs.

    The newest published version answers, on the features in store=sqlite:data/features.sqlite, which are
    filled from that version's data where there are none yet. REDIS_URL and TF_SERVING_URL name a Redis and a
    model server to use instead. Ctrl-C or SIGTERM lets the server finish what it has begun.
    """
    from recommender.app.settings import load_app_settings
    from recommender.deployment.ports import check_port_is_free

    settings = load_app_settings(config, overrides, os.environ)
    if settings.port:
        check_port_is_free(settings.host, settings.port, "port")
    leave_threads(os.environ, str(settings.model.threads))
    application = _open(settings, push)
    from recommender.app.server import serve

    about = _about(application)
    serve(application, lambda url: click.echo(f"{url}  {about}"))


def _open(settings: AppSettings, refill: bool) -> Application:
    from recommender.app.application.store_opening import model_version, open_store

    version = model_version(settings)
    store = open_store(settings, version, lambda version: _fill(settings, version), refill)
    from recommender.app.application.opening import open_application

    return open_application(settings, store)


def _fill(settings: AppSettings, version: Version) -> None:
    """Push the data that a version was trained on, by the settings that it was published with."""
    from recommender.cli.features import push

    config = version.folder / SETTINGS_FILE
    click.get_current_context().invoke(push, store=settings.store, config=config, overrides=())


def _about(application: Application) -> str:
    """What answers, in a few words."""
    from recommender.app.features.addresses import without_password

    settings, state = application.settings, application.readiness()
    catalogue = application.store.catalogue()
    model = settings.model.url or settings.model.models / settings.model.name
    version = state["model_version"] or "unknown, as the model server does not answer yet"
    return (
        f"model {model} version {version}, store {without_password(settings.store)} "
        f"version {state['store_version']}: {catalogue.schema.dataset} "
        f"with {catalogue.schema.num_users:,} users and {len(catalogue.movie_ids):,} movies"
    )
