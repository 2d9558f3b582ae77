"""Reading TF_CONFIG: which processes train together, and which of them this one is.

The format is that of `tf.distribute.cluster_resolver.TFConfigClusterResolver`, which TensorFlow itself reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from recommender.errors import ConfigError

VARIABLE = "TF_CONFIG"
EXAMPLE = '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
JOBS = ("chief", "worker", "ps")


class Member(NamedTuple):
    """One process of a cluster."""

    job: str
    number: int
    address: str  # host:port

    def __str__(self) -> str:
        return f"{self.job} {self.number} at {self.address}"


@dataclass(frozen=True)
class Cluster:
    """All members by job, and this process among them."""

    jobs: Mapping[str, tuple[Member, ...]]
    task: Member

    def of(self, *jobs: str) -> list[Member]:
        """The members of these jobs but this process."""
        members = [member for job in jobs for member in self.jobs.get(job, ())]
        return [member for member in members if member != self.task]

    @property
    def leads(self) -> bool:
        """Whether this process writes what all of them have made: the chief, or without one worker 0."""
        first = self.jobs.get("chief") or self.jobs["worker"]
        return self.task == first[0]


def read_cluster(environ: Mapping[str, str]) -> Cluster:
    """The cluster that TF_CONFIG describes; raises `ConfigError` with one line where it does not."""
    text = environ.get(VARIABLE)
    if not text:
        raise ConfigError(f"{VARIABLE}: must say who trains together, as in {VARIABLE}='{EXAMPLE}'")
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{VARIABLE}: not JSON: {error}") from None
    jobs = _jobs(_section(tree, "cluster"))
    task = _section(tree, "task")
    job, index = task.get("type"), task.get("index")
    if not isinstance(job, str) or job not in jobs:
        raise ConfigError(f"{VARIABLE}: task.type must be one of {', '.join(jobs)}, received {job!r}")
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(jobs[job]):
        raise ConfigError(
            f"{VARIABLE}: task.index must be from 0 to {len(jobs[job]) - 1} for {job}, received {index!r}"
        )
    return Cluster(jobs, jobs[job][index])


def _section(tree: Any, name: str) -> Mapping[str, Any]:
    section = tree.get(name) if isinstance(tree, dict) else None
    if not isinstance(section, dict) or not section:
        raise ConfigError(f"{VARIABLE}: must have {name}, as in {VARIABLE}='{EXAMPLE}'")
    return section


def _jobs(section: Mapping[str, Any]) -> dict[str, tuple[Member, ...]]:
    jobs: dict[str, tuple[Member, ...]] = {}
    for job, addresses in section.items():
        if job not in JOBS:
            raise ConfigError(f"{VARIABLE}: cluster has jobs {', '.join(JOBS)}, received {job!r}")
        if not isinstance(addresses, list) or not addresses:
            raise _not_addresses(job, addresses)
        jobs[job] = tuple(Member(job, index, _address(job, text)) for index, text in enumerate(addresses))
    known = [member.address for members in jobs.values() for member in members]
    for address in known:
        if known.count(address) > 1:
            raise ConfigError(
                f"{VARIABLE}: every member has an address of its own, received {address!r} twice"
            )
    return jobs


def _address(job: str, text: object) -> str:
    host, _, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    is_number = port.isascii() and port.isdigit() and len(port) <= 5
    if not host or not is_number or not 0 < int(port) < 65_536:
        raise _not_addresses(job, text)
    return str(text)


def _not_addresses(job: str, received: object) -> ConfigError:
    return ConfigError(f"{VARIABLE}: cluster.{job} must be a list of host:port, received {received!r}")
