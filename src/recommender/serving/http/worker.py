"""One process that answers requests: `python -m recommender.serving.http.worker`, by the supervisor."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import socket
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from recommender.errors import RecommenderError
from recommender.serving.http.access_log import AccessLog
from recommender.serving.http.application import Application
from recommender.serving.http.listening import listen
from recommender.serving.http.options import NO_ACCESS_LOG, ServeOptions
from recommender.serving.http.server import HttpServer
from recommender.serving.monitoring.exchange import publish
from recommender.serving.monitoring.loads import count_loads
from recommender.serving.monitoring.metrics import Metrics
from recommender.serving.monitoring.page import MetricsPage
from recommender.serving.status import ServingError

if TYPE_CHECKING:
    from recommender.serving.servables.manager import ModelManager

# A thread that computes lets the event loop in after so many seconds; Python's own 0.005 is as long as many
# quick requests together.
SWITCH_SECONDS = 0.0005


@dataclass(frozen=True, slots=True)
class Post:
    """What the supervisor gives a worker: its number, the socket to listen on, the channel between them, and
    the folder where workers find each other."""

    worker: int
    listener: int
    channel: int
    folder: str


def main() -> int:
    """Serve until told to stop; the exit status."""
    post = Post(**json.loads(sys.argv[1]))
    options = ServeOptions.from_json(sys.argv[2])
    logging.basicConfig(level=logging.INFO, format=f"%(levelname)s: worker {post.worker}: %(message)s")
    channel = socket.socket(fileno=post.channel)
    threading.Thread(target=_end_with_supervisor, args=(channel,), name="supervisor", daemon=True).start()
    try:
        return _serve(post, options, channel)
    except RecommenderError as error:
        _tell(channel, {"error": str(error), "exit_status": error.exit_status})
        return error.exit_status


def _serve(post: Post, options: ServeOptions, channel: socket.socket) -> int:
    from recommender.tensorflow_start import start_tensorflow

    start_tensorflow()
    from recommender.serving.rest.api import RestApi
    from recommender.serving.servables.config_follower import ConfigFollower
    from recommender.serving.servables.manager import ModelManager

    metrics = Metrics()
    manager = ModelManager(
        options.models(), options.file_system_poll_wait_seconds, count_loads(metrics), options.loading()
    )
    publish(metrics, Path(post.folder), post.worker)
    page = MetricsPage(metrics, options.monitoring(), Path(post.folder), post.worker)
    api = RestApi(manager, metrics, options.rest_api_timeout_in_ms)
    with ExitStack() as cleanup:
        manager.start()
        cleanup.callback(manager.stop)
        if options.model_config_file and options.model_config_file_poll_wait_seconds > 0:
            follower = ConfigFollower(
                Path(options.model_config_file), manager, options.model_config_file_poll_wait_seconds
            )
            follower.start()
            cleanup.callback(follower.stop)
        log = None
        if options.access_log != NO_ACCESS_LOG:
            log = AccessLog(options.access_log_file())
            cleanup.callback(log.close)
        # Garbage collection would look at TensorFlow's hundreds of thousands of objects again and again.
        gc.collect()
        gc.freeze()
        sys.setswitchinterval(SWITCH_SECONDS)
        application = Application(api, page, options.limits())
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            drained = runner.run(_run(application, options, log, post, channel, manager))
    return 0 if drained else 1


async def _run(
    application: Application,
    options: ServeOptions,
    log: AccessLog | None,
    post: Post,
    channel: socket.socket,
    manager: ModelManager,
) -> bool:
    server = HttpServer(application, options.limits(), options.rest_api_num_threads, log)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        server.loop.add_signal_handler(number, _stop_or_exit, stop)
    listener = socket.socket(fileno=post.listener)
    listen(listener)
    server.start(listener)
    _tell(channel, {"models": _available(manager)})
    await stop.wait()
    return await server.drain()


def _tell(channel: socket.socket, message: dict[str, object]) -> None:
    channel.sendall(json.dumps(message).encode() + b"\n")


def _available(manager: ModelManager) -> dict[str, list[int]]:
    """The versions that answer now, by model."""
    available: dict[str, list[int]] = {}
    for model in manager.models:
        try:
            statuses = manager.statuses(model.name)
        except ServingError:  # nothing was found in its folder
            statuses = []
        available[model.name] = [status.version for status in statuses if status.state == "AVAILABLE"]
    return available


def _stop_or_exit(stop: asyncio.Event) -> None:
    if stop.is_set():
        os._exit(1)
    stop.set()


def _end_with_supervisor(channel: socket.socket) -> None:
    """Stop when the supervisor is gone, however it ended: its end of the channel is closed then."""
    while channel.recv(1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: it would wait for threads, and a model that does not come back would keep the process.
    os._exit(status)
