"""The tasks of a Metaflow gang find each other: what TF_CONFIG says elsewhere, they tell at one port.

A task knows its index, how many there are and the address of task 0, and of the others nothing. So each tells
task 0 a free port of its own machine, in a line of JSON; task 0 sees the addresses that they come from and,
when all are there, answers each with the list of all.
"""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from recommender.cluster.socket_line import read_line
from recommender.cluster.tf_config import Cluster, Member
from recommender.errors import RecommenderError

LINE_SECONDS = 5.0  # for a line of somebody who has connected
SECONDS_BETWEEN = 0.2  # tries to reach task 0, or to get its port
LEAST_SECONDS = 0.001  # a timeout of 0 would mean: do not wait at all


@dataclass(frozen=True)
class Place:
    """What Metaflow tells a task of a gang, and the port of task 0 where all meet."""

    gang: str  # another in each run, so that a task left over from an earlier one is turned away
    index: int
    size: int
    main: str  # address of task 0
    port: int

    @property
    def leads(self) -> bool:
        """Whether this task writes what all of them have made."""
        return self.index == 0


class Introduction(BaseModel):
    """What a task says of itself."""

    model_config = ConfigDict(strict=True, extra="forbid")
    gang: str
    index: Annotated[int, Field(ge=1)]
    port: Annotated[int, Field(ge=1, lt=65_536)]


ADDRESSES = TypeAdapter(list[str])


def free_port() -> int:
    """A port that nobody uses on this machine now."""
    with _bound() as held:
        return held.getsockname()[1]


def meet(place: Place, timeout: float) -> Cluster:
    """The cluster of all tasks of a gang, by index, when all have come.

    Raises `RecommenderError` where they have not within `timeout` seconds, and where two have the same index.
    Strangers who speak to task 0 are turned away; somebody else at its port, such as a task left over from an
    earlier try, is waited out.
    """
    with _bound() as held:  # nobody else gets the port; closed only when all know of it
        port = held.getsockname()[1]
        try:
            addresses = (_receive if place.leads else _ask)(place, port, time.monotonic() + timeout)
        except TimeoutError as error:
            raise RecommenderError(f"{error} within {timeout:g} s, distribution.start_timeout") from None
    workers = tuple(Member("worker", index, address) for index, address in enumerate(addresses))
    return Cluster({"worker": workers}, workers[place.index])


def _bound() -> socket.socket:
    """A socket with a port of its own that does not listen: who looks for peers finds nobody there yet."""
    held = socket.socket()
    held.bind(("", 0))
    return held


def _receive(place: Place, port: int, deadline: float) -> list[str]:
    """Task 0: wait for all others and tell them who is there; raises `TimeoutError`."""
    found = {0: f"{place.main}:{port}"}
    with _listening(place, deadline) as server, ExitStack() as connected:
        members = []
        while len(found) < place.size:
            connection, address = _accept(server, found, place, deadline)
            connected.enter_context(connection)
            said = _hear(connection, place, min(deadline, time.monotonic() + LINE_SECONDS))
            if said is None:
                print(f"turned away {address}, which is no task of this gang", flush=True)
                connection.close()
                continue
            if said.index in found:
                raise RecommenderError(f"two tasks of the gang say that they are number {said.index}")
            found[said.index] = f"{address}:{said.port}"
            members.append(connection)
        addresses = [found[index] for index in range(place.size)]
        for connection in members:
            with suppress(OSError):  # one that is gone is missed when its peers look for it
                connection.sendall(ADDRESSES.dump_json(addresses) + b"\n")
    return addresses


def _listening(place: Place, deadline: float) -> socket.socket:
    """A server at the port where all meet, on all interfaces unless all are on this machine."""
    host = place.main if place.main.startswith("127.") else ""
    while time.monotonic() < deadline:
        try:
            return socket.create_server((host, place.port))
        except OSError:
            time.sleep(SECONDS_BETWEEN)
    raise TimeoutError(f"port {place.port}, where the gang meets, did not become free on this machine")


def _accept(
    server: socket.socket, found: dict[int, str], place: Place, deadline: float
) -> tuple[socket.socket, str]:
    """The next one who connects, and the address that it comes from."""
    server.settimeout(max(deadline - time.monotonic(), LEAST_SECONDS))
    try:
        connection, (address, _) = server.accept()
    except TimeoutError:
        missing = ", ".join(str(index) for index in range(place.size) if index not in found)
        raise TimeoutError(f"of the gang's {place.size} tasks {missing} did not come") from None
    return connection, address


def _hear(connection: socket.socket, place: Place, deadline: float) -> Introduction | None:
    """What a task of this gang says of itself; None of anybody else."""
    try:
        said = Introduction.model_validate_json(read_line(connection, deadline))
    except (OSError, ValidationError):
        return None
    return said if said.gang == place.gang and said.index < place.size else None


def _ask(place: Place, port: int, deadline: float) -> list[str]:
    """Another task: tell task 0 of this one and hear who is there; raises `TimeoutError`."""
    said = Introduction(gang=place.gang, index=place.index, port=port)
    # Task 0 may come up later than this one, or after one left over.
    while (left := deadline - time.monotonic()) > 0:
        try:
            with socket.create_connection((place.main, place.port), left) as connection:
                connection.sendall(said.model_dump_json().encode() + b"\n")
                addresses = ADDRESSES.validate_json(read_line(connection, deadline), strict=True)
        except (OSError, ValidationError):
            addresses = []
        if len(addresses) == place.size:
            return addresses
        time.sleep(SECONDS_BETWEEN)
    raise TimeoutError(
        f"task {place.index} of the gang has not been told who the others are by task 0, at "
        f"{place.main}:{place.port},"
    )
