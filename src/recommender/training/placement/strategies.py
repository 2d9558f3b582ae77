"""Starting a strategy of `tf.distribute`: before anything else of TensorFlow, which it configures."""

from __future__ import annotations

import os
from pathlib import Path

import tensorflow as tf

from recommender.cluster.tf_config import Cluster
from recommender.config import DistributionSettings
from recommender.training.devices import use_device
from recommender.training.placement.one_process import Placement
from recommender.training.placement.replicated import Replicated
from recommender.training.placement.server import addresses
from recommender.training.placement.sharded import Sharded


def start(settings: DistributionSettings, cluster: Cluster, elsewhere: Path) -> Placement:
    """Connect to the other members, however long that takes, and place models among them.

    Processes that do not lead write to the folder `elsewhere`.
    """
    use_device(settings.device)
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec(addresses(cluster)),
        task_type=cluster.task.job,
        task_id=cluster.task.number,
        rpc_layer="grpc",
    )
    if settings.strategy == "multi_worker":
        mirrored = tf.distribute.MultiWorkerMirroredStrategy(resolver)
        return Replicated(mirrored, None if cluster.leads else elsewhere)
    os.environ["GRPC_FAIL_FAST"] = "use_caller"  # a worker that dies is an error, not a wait
    partitioner = tf.distribute.experimental.partitioners.MinSizePartitioner(
        min_shard_bytes=settings.min_shard_bytes, max_shards=len(cluster.jobs["ps"])
    )
    strategy = tf.distribute.ParameterServerStrategy(resolver, variable_partitioner=partitioner)
    return Sharded(strategy, workers=len(cluster.jobs["worker"]))
