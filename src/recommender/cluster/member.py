"""What a member of a cluster does in a process of its own."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NamedTuple

from recommender.cluster.tf_config import Cluster
from recommender.config import Settings
from recommender.errors import RecommenderError
from recommender.folder_lock import alone
from recommender.tensorflow_start import start_tensorflow


class Failure(NamedTuple):
    """Why a member could not go on; `by_peer` where it was another member's failure."""

    text: str
    exit_status: int
    by_peer: bool


def work(settings: Settings, cluster: Cluster, run_folder: Path, parent: Connection) -> None:
    """Do the member's work, tell the parent of a failure, and end at once.

    Without any of Python's or TensorFlow's farewells, some of which wait for members that have died.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it, too, and ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    status = 0
    try:
        _work(settings, cluster, run_folder)
    except RecommenderError as error:
        status = error.exit_status
        parent.send(Failure(str(error), status, by_peer=False))
    except Exception as error:
        status = 1
        if _is_by_peer(error):
            parent.send(Failure(_first_line(error), status, by_peer=True))
        else:
            traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _work(settings: Settings, cluster: Cluster, run_folder: Path) -> None:
    # TensorFlow tells every lost connection, before Python hears of it and can say it in one line.
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    start_tensorflow(look_for_devices=False)
    if settings.distribution.strategy == "parameter_server" and cluster.task.job != "chief":
        from recommender.training.placement.server import serve

        serve(cluster)
        return
    from tqdm import tqdm

    from recommender.training import fit_networks
    from recommender.training.placement.strategies import start

    tqdm.set_lock(threading.RLock())  # its own is a semaphore of the system, which a killed process leaves
    placement = start(settings.distribution, cluster)
    from recommender.data.prepare import prepare

    job = "train" if cluster.leads else f"train-{cluster.task.job}-{cluster.task.number}"
    run_folder.mkdir(parents=True, exist_ok=True)
    with alone(run_folder, job):
        fit_networks(settings, prepare(settings), run_folder, placement)
        placement.agreed(0)  # nobody leaves before all have finished


def _is_by_peer(error: Exception) -> bool:
    """Whether TensorFlow says that another member cannot be reached."""
    import tensorflow as tf

    return isinstance(error, (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
