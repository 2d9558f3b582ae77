"""A parameter server, or a worker that takes steps for a coordinator."""

from __future__ import annotations

import tensorflow as tf

from recommender.cluster.tf_config import Cluster


def serve(cluster: Cluster) -> None:
    """Answer the coordinator for ever; whoever has started this ends it."""
    spec = tf.train.ClusterSpec(addresses(cluster))
    server = tf.distribute.Server(spec, job_name=cluster.task.job, task_index=cluster.task.number)
    server.join()


def addresses(cluster: Cluster) -> dict[str, list[str]]:
    """The cluster as TensorFlow takes it."""
    return {job: [member.address for member in members] for job, members in cluster.jobs.items()}
