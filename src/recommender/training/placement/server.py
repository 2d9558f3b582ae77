"""A parameter server, or a worker that takes steps for a coordinator."""

from __future__ import annotations

import tensorflow as tf

from recommender.cluster.tf_config import Cluster
from recommender.training.devices import use_device


def serve(cluster: Cluster, device: str) -> None:
    """Answer the coordinator for ever; whoever has started this ends it.

    A worker computes on `device`, see `use_device`; a server holds weights in the machine's memory.
    """
    use_device("cpu" if cluster.task.job == "ps" else device)
    spec = tf.train.ClusterSpec(addresses(cluster))
    server = tf.distribute.Server(spec, job_name=cluster.task.job, task_index=cluster.task.number)
    server.join()


def addresses(cluster: Cluster) -> dict[str, list[str]]:
    """The cluster as TensorFlow takes it."""
    return {job: [member.address for member in members] for job, members in cluster.jobs.items()}
