"""The metrics that are kept, named and labelled as in TensorFlow Serving.

From servables/tensorflow/util.cc (requests), saved_model_warmup_util.cc (warm-up) and TensorFlow's
cc/saved_model/loader.cc (loading). Latencies are in microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)  # looked up by identity, on every request
class Family:
    """One metric: its name, its labels in order, and whether it is a histogram or a counter."""

    name: str
    labels: tuple[str, ...]
    histogram: bool = False


REQUESTS = Family("/tensorflow/serving/request_count", ("model_name", "status"))
REQUEST_LATENCY = Family(
    "/tensorflow/serving/request_latency", ("model_name", "API", "entrypoint"), histogram=True
)
LOAD_ATTEMPTS = Family("/tensorflow/cc/saved_model/load_attempt_count", ("model_path", "status"))
LOAD_LATENCY = Family("/tensorflow/cc/saved_model/load_latency", ("model_path",))
WARMUP_LATENCY = Family("/tensorflow/serving/model_warmup_latency", ("model_path", "status"), histogram=True)

FAMILIES = tuple(
    sorted(
        (REQUESTS, REQUEST_LATENCY, LOAD_ATTEMPTS, LOAD_LATENCY, WARMUP_LATENCY),
        key=lambda family: family.name,
    )
)

# `monitoring::Buckets::Exponential(10, 1.8, 33)`: 10 microseconds to about 20 minutes, then whatever is more.
BUCKET_LIMITS: tuple[float, ...] = tuple(10 * 1.8**power for power in range(33))
BUCKETS = len(BUCKET_LIMITS) + 1
