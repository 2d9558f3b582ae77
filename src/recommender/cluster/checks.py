"""What a cluster can train: settings and TF_CONFIG held against each other before any work."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping

from recommender.cluster.tf_config import VARIABLE, Cluster
from recommender.config import Settings
from recommender.errors import ConfigError
from recommender.tensorflow_threads import BETWEEN_OPERATIONS

OF_ONE_MACHINE = (  # and all of `workflow`: may differ between members, change nothing that is trained
    ("data", "home"),
    ("data", "archive"),
    ("distribution", "device"),
    ("distribution", "workers"),  # TF_CONFIG says how many there are, or the gang
    ("distribution", "start_timeout"),
    ("distribution", "peer_timeout"),
)


def check_cluster(settings: Settings, cluster: Cluster) -> None:
    """Raise `ConfigError` with one line for what the strategy of `settings` cannot do."""
    strategy = settings.distribution.strategy
    if strategy == "single":
        raise ConfigError(
            "distribution.strategy: must be multi_worker or parameter_server for a cluster, received 'single'"
        )
    _check_no_search(settings)
    if strategy == "multi_worker":
        _check_multi_worker(settings, cluster)
    else:
        _check_parameter_server(settings, cluster)


def check_gang(settings: Settings) -> None:
    """Raise `ConfigError` for what the workflow cannot train: one task does, or a gang of equal workers."""
    distribution = settings.distribution
    if distribution.strategy == "single":
        return
    if distribution.strategy == "parameter_server":
        raise ConfigError(
            "distribution.strategy: must be single or multi_worker in the workflow, received "
            "'parameter_server': a cluster with servers trains with recommender worker"
        )
    if distribution.workers < 2:
        raise ConfigError(
            "distribution.workers: must be at least 2 in the workflow with "
            f"distribution.strategy=multi_worker, received {distribution.workers}"
        )
    _check_no_search(settings)
    _check_shares(settings, distribution.workers)


def check_threads(cluster: Cluster, environ: Mapping[str, str]) -> None:
    """Raise `ConfigError` for parameter servers with one thread, in which they would wait for themselves."""
    if "ps" in cluster.jobs and environ.get(BETWEEN_OPERATIONS) == "1":
        raise ConfigError(f"{BETWEEN_OPERATIONS}: must be at least 2 with parameter servers, received 1")


def check_all_have(settings: Settings, agreed: Callable[[float], float]) -> None:
    """Raise `ConfigError` where this member's settings are not those of the one whose number is `agreed`."""
    number = fingerprint(settings)
    if agreed(number) != number:
        raise ConfigError("settings differ from those of the member that leads")


def fingerprint(settings: Settings) -> int:
    """48 bits, exact as a float64, of all settings but those of one machine (`OF_ONE_MACHINE`)."""
    tree = settings.model_dump(mode="json")
    del tree["workflow"]
    for section, key in OF_ONE_MACHINE:
        del tree[section][key]
    digest = hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).digest()
    return int.from_bytes(digest[:6], "big")


def _check_multi_worker(settings: Settings, cluster: Cluster) -> None:
    if "ps" in cluster.jobs:
        raise ConfigError(f"{VARIABLE}: cluster.ps is for distribution.strategy=parameter_server")
    _at_most_one_chief(cluster)
    workers = sum(map(len, cluster.jobs.values()))
    if settings.distribution.workers not in (1, workers):
        raise ConfigError(
            f"distribution.workers: must be the {workers} of {VARIABLE} or 1, "
            f"received {settings.distribution.workers}"
        )
    _check_shares(settings, workers)


def _check_no_search(settings: Settings) -> None:
    if settings.tuning.trials:
        raise ConfigError(
            f"tuning.trials: must be 0 on a cluster, which trains with one setting, "
            f"received {settings.tuning.trials}"
        )


def _check_shares(settings: Settings, workers: int) -> None:
    """All workers get equal shares of a batch."""
    sizes = {
        "training.batch_size": settings.training.batch_size,
        "retrieval.training.batch_size": settings.retrieval.training.batch_size,
    }
    for key, size in sizes.items():
        if size % workers:
            raise ConfigError(f"{key}: must be a multiple of the {workers} workers, received {size}")


def _check_parameter_server(settings: Settings, cluster: Cluster) -> None:
    for job in ("chief", "worker", "ps"):
        if job not in cluster.jobs:
            raise ConfigError(
                f"{VARIABLE}: cluster.{job} is missing; parameter_server takes one chief, workers and ps"
            )
    _at_most_one_chief(cluster)
    averaging = {
        "training.averaging": settings.training.averaging,
        "retrieval.training.averaging": settings.retrieval.training.averaging,
    }
    for key, decay in averaging.items():
        if decay:
            raise ConfigError(
                f"{key}: must be 0 with distribution.strategy=parameter_server, whose workers take steps at "
                f"the same time, received {decay}"
            )
    if settings.ranking.head == "foldin":
        raise ConfigError(
            "ranking.head: foldin looks movies up in tables fitted beforehand, which parameter servers "
            "do not cut: take another head with distribution.strategy=parameter_server"
        )
    if settings.distribution.mixed_precision == "float16":
        raise ConfigError(
            "distribution.mixed_precision: float16 scales the loss step by step, which workers of "
            "parameter_server do not take together: take bfloat16"
        )
    if "gru" in settings.retrieval.history_encoder:
        raise ConfigError(
            "retrieval.history_encoder: gru is one operation on weights of several servers, which TensorFlow "
            "cannot place: take pooled or transformer with distribution.strategy=parameter_server"
        )


def _at_most_one_chief(cluster: Cluster) -> None:
    chiefs = len(cluster.jobs.get("chief", ()))
    if chiefs > 1:
        raise ConfigError(f"{VARIABLE}: cluster.chief must be one address, received {chiefs}")
