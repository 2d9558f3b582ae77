"""The metrics, as Prometheus reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from recommender.serving.monitoring.exposition import exposition
from recommender.serving.monitoring.families import BUCKET_LIMITS
from recommender.serving.monitoring.loads import count_loads
from recommender.serving.monitoring.metrics import MOST_REQUEST_SERIES, Metrics
from recommender.serving.monitoring.page import MetricsPage
from recommender.serving.rest.paths import read_target
from recommender.serving.servables.config_file import Monitoring
from recommender.serving.servables.events import LoadAttempted
from recommender.serving.status import Code


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by name and label values, as Prometheus' own client reads the page.

    It calls a counter without the ending `_total` by that name, where the server itself keeps it.
    """
    return {
        (sample.name.removesuffix("_total"), tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_are_shown_under_serving_s_names() -> None:
    metrics = Metrics()
    metrics.request("m", "predict", Code.OK, 25e-6)
    metrics.request("m", "predict", Code.OK, 2.0)
    metrics.request("m", "predict", Code.INVALID_ARGUMENT, 1.0)
    text = exposition(metrics)
    lines = text.splitlines()
    # The order of lines, labels and the form of numbers: util/prometheus_exporter.cc, with absl's StrCat.
    assert ':tensorflow:serving:request_count{model_name="m",status="INVALID_ARGUMENT"} 1' in lines
    assert ':tensorflow:serving:request_count{model_name="m",status="OK"} 2' in lines
    latency = ':tensorflow:serving:request_latency_%s{model_name="m",API="predict",entrypoint="REST"%s} %s'
    for limit, count in [("10", 0), ("18", 0), ("32.4", 1), ("708235", 1), ("1.27482e+06", 1), ("+Inf", 2)]:
        assert latency % ("bucket", f',le="{limit}"', count) in lines
    assert latency % ("sum", "", "2.00002e+06") in lines
    assert latency % ("count", "", 2) in lines
    assert [line for line in lines if line.startswith("#")] == [
        "# TYPE :tensorflow:cc:saved_model:load_attempt_count counter",
        "# TYPE :tensorflow:cc:saved_model:load_latency counter",
        "# TYPE :tensorflow:serving:model_warmup_latency histogram",
        "# TYPE :tensorflow:serving:request_count counter",
        "# TYPE :tensorflow:serving:request_latency histogram",
    ]
    assert text.endswith("\n")


def test_a_histogram_has_all_buckets_and_each_holds_what_is_below_its_limit() -> None:
    metrics = Metrics()
    for microseconds in (0.0, 9.9, 10.0, 17.9, 1e12):
        metrics.request("m", "predict", Code.OK, microseconds / 1e6)
    read = samples(exposition(metrics))
    counts = {
        labels[-1]: value for (name, labels), value in read.items() if name.endswith("request_latency_bucket")
    }
    assert len(counts) == len(BUCKET_LIMITS) + 1 == 34
    assert (counts["10"], counts["18"], counts["32.4"], counts["+Inf"]) == (2, 4, 4, 5)
    assert list(counts.values()) == sorted(counts.values())


def test_loads_and_warm_up_are_counted_by_folder() -> None:
    metrics = Metrics()
    count = count_loads(metrics)
    good, bad = Path("/models/m/1"), Path("/models/m/2")
    count(LoadAttempted("m", 1, good, Code.OK, 0.25, 0.004))
    count(LoadAttempted("m", 2, bad, Code.NOT_FOUND, 0.5, None))
    count(LoadAttempted("m", 2, bad, Code.NOT_FOUND, 0.5, None))
    read = samples(exposition(metrics))
    loads = ":tensorflow:cc:saved_model:load_attempt_count"
    assert read[loads, ("/models/m/1", "success")] == 1
    assert read[loads, ("/models/m/2", "fail")] == 2
    assert read[":tensorflow:cc:saved_model:load_latency", ("/models/m/1",)] == 250_000
    assert read[":tensorflow:serving:model_warmup_latency_count", ("/models/m/1", "OK")] == 1
    assert read[":tensorflow:serving:model_warmup_latency_sum", ("/models/m/1", "OK")] == 4000


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", 'a{b="c"} 1', "Amélie", ""])
def test_labels_come_back_as_they_were(name: str) -> None:
    metrics = Metrics()
    metrics.request(name, "predict", Code.OK, 0.001)
    assert samples(exposition(metrics))[":tensorflow:serving:request_count", (name, "OK")] == 1


def test_names_that_clients_make_up_do_not_fill_the_memory() -> None:
    metrics = Metrics()
    for number in range(3 * MOST_REQUEST_SERIES):
        metrics.request(f"made-up-{number}", "", Code.NOT_FOUND, 0.001)
    metrics.request("real", "predict", Code.OK, 0.001)
    read = samples(exposition(metrics))
    count = ":tensorflow:serving:request_count"
    assert len(read) < MOST_REQUEST_SERIES + 100
    assert read[count, ("", "NOT_FOUND")] == 2 * MOST_REQUEST_SERIES
    assert read[count, ("real", "OK")] == 1


def page(path: str = "/monitoring/prometheus/metrics", enabled: bool = True) -> MetricsPage:
    return MetricsPage(Metrics(), Monitoring(enabled, path))


def target(text: str):
    read = read_target(text)
    assert read is not None
    return read


def test_the_page_answers_its_path_and_complains_of_a_query_string() -> None:
    shown = page()
    path = "/monitoring/prometheus/metrics"
    assert shown.owns(target(path))
    assert shown.show(target(path)).status == 200
    assert shown.show(target(path)).content_type == "text/plain"
    # http_server.cc, ProcessPrometheusRequest
    wrong = shown.show(target(path + "?x=1"))
    assert shown.owns(target(path + "?x=1"))
    assert (wrong.status, wrong.body) == (400, f"Unexpected path: {path}?x=1. Should be {path}".encode())


def test_the_page_has_the_path_that_the_settings_say_or_none() -> None:
    assert page("/metrics").owns(target("/metrics"))
    assert not page("/metrics").owns(target("/monitoring/prometheus/metrics"))
    assert not page(enabled=False).owns(target("/monitoring/prometheus/metrics"))
    assert not page().owns(target("/Monitoring/prometheus/metrics"))
