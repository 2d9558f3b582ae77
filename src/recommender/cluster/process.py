"""One member of a cluster: a process that trains or serves weights, and this one, which watches the others.

Two processes, because TensorFlow blocks Python while it waits for a cluster to come up: no thread of the same
process could end such a wait.
"""

from __future__ import annotations

import multiprocessing
import socket
import tempfile
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

from recommender.cluster.member import Failure, Folders, work
from recommender.cluster.peers import PeerWatch
from recommender.cluster.tf_config import Cluster, Member
from recommender.config import Settings
from recommender.errors import RecommenderError

SECONDS_BETWEEN = 1.0  # looks at the others


class Watched(NamedTuple):
    """Whom a member waits for; without `serves` it is an error when one of them ends."""

    needed: list[Member]
    one_of: list[Member]
    serves: bool


def take_part(
    settings: Settings, cluster: Cluster, run_folder: Path, prepared_folder: Path | None = None
) -> None:
    """Do this member's work to its end; raises `RecommenderError` as soon as it cannot end any more.

    A server's work ends with its coordinator. Without `prepared_folder` the member prepares the data itself.
    """
    _check_port(cluster.task)
    with tempfile.TemporaryDirectory(prefix="recommender-") as elsewhere:
        _take_part(settings, cluster, Folders(run_folder, Path(elsewhere), prepared_folder))


def _take_part(settings: Settings, cluster: Cluster, folders: Folders) -> None:
    watched = _watched(settings, cluster)
    distribution = settings.distribution
    watch = PeerWatch(watched.needed, watched.one_of, distribution.start_timeout, distribution.peer_timeout)
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    arguments = (settings, cluster, folders, sender)
    member = context.Process(target=work, args=arguments, name=str(cluster.task), daemon=True)
    member.start()
    sender.close()
    try:
        missing = _first_missing(member, watch)
    finally:
        member.kill()
        member.join()
    if missing is None:
        _raise_failure(receiver, member, watch)
    elif not (watched.serves and watch.has_answered(watched.needed[0])):
        raise RecommenderError(_stopped(missing))


def _check_port(task: Member) -> None:
    """Raise `RecommenderError` where another process listens: TensorFlow would tell that in many lines."""
    port = int(task.address.rpartition(":")[2])
    try:
        socket.create_server(("", port)).close()
    except OSError:
        raise RecommenderError(f"{task}: port {port} is in use on this machine") from None


def _watched(settings: Settings, cluster: Cluster) -> Watched:
    """Workers of a mirrored strategy need each other, a coordinator all servers and one worker at least."""
    if settings.distribution.strategy == "multi_worker":
        return Watched(cluster.of("chief", "worker"), [], serves=False)
    if cluster.task.job == "chief":
        return Watched(cluster.of("ps"), cluster.of("worker"), serves=False)
    return Watched(cluster.of("chief"), [], serves=True)


def _first_missing(member: BaseProcess, watch: PeerWatch) -> str | None:
    """Who went missing first; None where the member's own process ended before."""
    while not wait([member.sentinel], SECONDS_BETWEEN):
        if missing := watch.missing():
            return missing
    return None


def _raise_failure(receiver: Connection, member: BaseProcess, watch: PeerWatch) -> None:
    """What the member's process told before it ended, as an error; nothing after a success."""
    with suppress(EOFError):  # it has told nothing
        failure: Failure = receiver.recv()
        silent = ", ".join(map(str, watch.silent())) if failure.by_peer else ""
        if silent:
            raise RecommenderError(_stopped(f"{silent} no longer answers"))
        error = RecommenderError(_stopped(failure.text) if failure.by_peer else failure.text)
        error.exit_status = failure.exit_status
        raise error
    if member.exitcode:
        ended = f"signal {-member.exitcode}" if member.exitcode < 0 else f"status {member.exitcode}"
        raise RecommenderError(_stopped(f"{member.name} has ended with {ended}"))


def _stopped(why: str) -> str:
    return f"the cluster has stopped: {why}; started again, all members go on from the last checkpoint"
