"""Workers tell each other what they have counted, so that whichever is asked answers for all.

Each worker listens on a Unix socket in a folder that only this user can enter, and writes its snapshot to
whoever connects. A thread does it, so that a worker answers while its event loop runs a model.
"""

from __future__ import annotations

import logging
import socket
import threading
from pathlib import Path

import orjson

from recommender.serving.monitoring.metrics import Metrics

PATIENCE_SECONDS = 2.0  # for a worker that does not answer: its numbers are then missing
SUFFIX = ".metrics"


def publish(metrics: Metrics, folder: Path, worker: int) -> None:
    """Answer other workers from now on; a socket that a crashed predecessor left is replaced."""
    path = _socket_path(folder, worker)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    threading.Thread(target=_answer, args=(listener, metrics), name="metrics", daemon=True).start()


def collect(metrics: Metrics, folder: Path | None, worker: int) -> Metrics:
    """The sum of `metrics` and what the other workers have counted."""
    total = Metrics()
    total.merge(metrics.snapshot())
    own = folder and _socket_path(folder, worker)
    for path in sorted(folder.glob(f"*{SUFFIX}")) if folder else ():
        if path != own:
            total.merge(_ask(path))
    return total


def _socket_path(folder: Path, worker: int) -> Path:
    return folder / f"{worker}{SUFFIX}"


def _answer(listener: socket.socket, metrics: Metrics) -> None:
    while True:
        peer, _ = listener.accept()
        try:
            with peer:
                peer.settimeout(PATIENCE_SECONDS)
                peer.sendall(orjson.dumps(metrics.snapshot()))
        except OSError as error:
            logging.getLogger(__name__).warning("metrics were not told to another worker: %s", error)


def _ask(path: Path) -> list[list]:
    try:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(PATIENCE_SECONDS)
            peer.connect(str(path))
            with peer.makefile("rb") as answer:
                return orjson.loads(answer.read())
    except (OSError, orjson.JSONDecodeError) as error:  # it has crashed, or has not started yet
        logging.getLogger(__name__).warning("metrics of %s are missing: %s", path.stem, error)
        return []
