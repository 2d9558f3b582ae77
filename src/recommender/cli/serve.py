"""`recommender serve`: the model server."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from recommender.cli.settings import config_option, read

THREADS_PER_CPU = 4  # as tensorflow_model_server has it
DEFAULT_BODY_BYTES = 16 * 1024 * 1024


@click.command()
@click.option(
    "--rest_api_port",
    type=click.IntRange(0, 65_535),
    default=8501,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; 0.0.0.0 lets other machines in.",
)
@click.option("--model_name", help="The model's name in URLs.  [default: default]")
@click.option("--model_base_path", help="Folder of the model's versions, each named by its number.")
@click.option(
    "--model_config_file",
    help="Several models, version policies and labels, as a ModelServerConfig in text protobuf.",
)
@click.option(
    "--model_config_file_poll_wait_seconds",
    type=click.FloatRange(min=0),
    default=0,
    show_default=True,
    help="How often that file is read again; 0 is never.",
)
@click.option(
    "--file_system_poll_wait_seconds",
    type=click.FloatRange(min=0),
    default=1,
    show_default=True,
    help="How often folders are searched for versions; 0 is once.",
)
@click.option(
    "--rest_api_timeout_in_ms",
    type=click.IntRange(min=0),
    default=30_000,
    show_default=True,
    help="How long a request may take; 0 is for ever.",
)
@click.option(
    "--rest_api_num_threads",
    type=click.IntRange(min=1),
    help=f"Threads for requests that take long.  [default: {THREADS_PER_CPU} for each CPU]",
)
@click.option(
    "--monitoring_config_file", help="Metrics on or off, and their path: a MonitoringConfig in text protobuf."
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Processes that answer; each holds its own copy of the models.",
)
@click.option(
    "--access_log", help="File that gets a line for each request, or none.  [default: standard error]"
)
@click.option(
    "--max_body_bytes",
    type=click.IntRange(min=1),
    default=DEFAULT_BODY_BYTES,
    show_default=True,
    help="The largest request, decompressed.",
)
@click.option(
    "--enable_signature_method_name_check",
    type=bool,
    default=False,
    show_default=True,
    help="Refuse signatures whose method name is not that of the request.",
)
@config_option
def serve(config: Path | None, **flags: Any) -> None:
    """Answer TensorFlow Serving's REST API from SavedModels.

    The flags are those of tensorflow_model_server. Without a model, the versions that the workflow has
    published are served. New versions are taken over while the server runs; Ctrl-C or SIGTERM lets it finish
    what it has begun, a second one ends it at once.
    """
    from recommender.serving.http.options import ServeOptions
    from recommender.serving.http.supervisor import supervise

    given = {name: value for name, value in flags.items() if value is not None}
    if not flags["model_base_path"] and not flags["model_config_file"]:
        given = {**_published(config), **given}
    given.setdefault("rest_api_num_threads", THREADS_PER_CPU * _cpus())
    sys.exit(supervise(ServeOptions(**given)))


def _published(config: Path | None) -> dict[str, str]:
    """The model that the settings' workflow publishes."""
    settings = read(config)
    name = settings.workflow.name
    return {"model_name": name, "model_base_path": str((settings.export.models / name).absolute())}


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
