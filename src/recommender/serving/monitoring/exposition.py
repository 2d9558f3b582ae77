"""The text that Prometheus reads, written as TensorFlow Serving's util/prometheus_exporter.cc writes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import accumulate

from recommender.serving.monitoring.families import BUCKET_LIMITS, FAMILIES, Family
from recommender.serving.monitoring.metrics import Histogram, Labels, Metrics


def exposition(metrics: Metrics) -> str:
    """All metrics, sorted by name, then by labels; a metric without values yet has its type line alone."""
    return "".join(f"{line}\n" for family in FAMILIES for line in _lines(family, metrics))


def _lines(family: Family, metrics: Metrics) -> Iterator[str]:
    name = _metric_name(family.name)
    yield f"# TYPE {name} {'histogram' if family.histogram else 'counter'}"
    if family.histogram:
        for labels in _series(family, metrics.histograms):
            histogram = metrics.histograms[family, labels]
            yield from _histogram_lines(name, _labels(family, labels), histogram)
    else:
        for labels in _series(family, metrics.counters):
            yield f"{name}{{{_labels(family, labels)}}} {metrics.counters[family, labels]}"


def _series(family: Family, keys: Iterable[tuple[Family, Labels]]) -> list[Labels]:
    return sorted(labels for of, labels in keys if of is family)


def _histogram_lines(name: str, labels: str, histogram: Histogram) -> Iterator[str]:
    limits = [*map(_number, BUCKET_LIMITS), "+Inf"]
    for limit, count in zip(limits, accumulate(histogram.counts), strict=True):
        yield f'{name}_bucket{{{labels},le="{limit}"}} {count}'
    yield f"{name}_sum{{{labels}}} {_number(histogram.total)}"
    yield f"{name}_count{{{labels}}} {sum(histogram.counts)}"


def _number(value: float) -> str:
    return f"{value:.6g}"  # as absl::StrCat prints a double, so that the `le` labels are Serving's


def _metric_name(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_]", ":", name)


def _labels(family: Family, values: Labels) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(family.labels, values, strict=True))


def _escaped(value: str) -> str:
    # Serving leaves a line break as it is, which would end the line and spoil the whole page.
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
