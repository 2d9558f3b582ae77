"""What a member of a cluster does in a process of its own."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NamedTuple

from recommender.cluster.checks import check_all_have
from recommender.cluster.tf_config import Cluster
from recommender.config import Settings
from recommender.errors import RecommenderError
from recommender.folder_lock import alone
from recommender.tensorflow_start import start_tensorflow

PR_SET_PDEATHSIG = 1  # of linux/prctl.h


class Failure(NamedTuple):
    """Why a member could not go on; `by_peer` where it was another member's failure."""

    text: str
    exit_status: int
    by_peer: bool


class Folders(NamedTuple):
    """Where a member finds and leaves what is on disk."""

    run: Path
    elsewhere: Path  # where it writes if it does not lead; the parent removes it
    prepared: Path | None  # None: it prepares the data itself


def work(settings: Settings, cluster: Cluster, folders: Folders, parent: Connection) -> None:
    """Do the member's work, tell the parent of a failure, and end at once.

    Ends without any of Python's or TensorFlow's farewells, some of which wait for members that have died.
    """
    _end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it, too, and ends this process
    status = 0
    try:
        _work(settings, cluster, folders)
    except RecommenderError as error:
        status = error.exit_status
        parent.send(Failure(str(error), status, by_peer=False))
    except Exception as error:
        status = 1
        if isinstance(error, _errors_by_peers()):
            parent.send(Failure(_first_line(error), status, by_peer=True))
        else:
            traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _end_with_parent() -> None:
    """Let the system end this process with its parent; a thread cannot while TensorFlow blocks Python."""
    parent = parent_process()
    assert parent is not None
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent.pid:  # it has ended before
            os._exit(1)
    else:
        threading.Thread(target=_wait_for_end, args=(parent.sentinel,), daemon=True).start()


def _wait_for_end(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _work(settings: Settings, cluster: Cluster, folders: Folders) -> None:
    # TensorFlow tells every lost connection, before Python hears of it and can say it in one line.
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    start_tensorflow(look_for_devices=False)
    if settings.distribution.strategy == "parameter_server" and cluster.task.job != "chief":
        from recommender.training.placement.server import serve

        serve(cluster, settings.distribution.device)
        return
    from tqdm import tqdm

    from recommender.training import fit_networks
    from recommender.training.placement.strategies import start

    tqdm.set_lock(threading.RLock())  # its own is a semaphore of the system, which a killed process leaves
    placement = start(settings.distribution, cluster, folders.elsewhere)
    check_all_have(settings, placement.agreed)
    from recommender.data.prepare import prepare
    from recommender.data.prepared import Prepared

    job = "train" if cluster.leads else f"train-{cluster.task.job}-{cluster.task.number}"
    folders.run.mkdir(parents=True, exist_ok=True)
    with alone(folders.run, job):
        prepared = Prepared(folders.prepared) if folders.prepared else prepare(settings)
        fit_networks(settings, prepared, folders.run, placement)
        with suppress(*_errors_by_peers()):  # of one that has left already: all is written
            placement.agreed(0)  # nobody leaves before all have finished


def _errors_by_peers() -> tuple[type[Exception], ...]:
    """How TensorFlow says that another member cannot be reached."""
    import tensorflow as tf

    return tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
