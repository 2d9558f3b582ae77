"""What /metrics says after some requests."""

from __future__ import annotations

from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from recommender.app.application import Application
from recommender.app.pipeline.circuit_breaker import FAILURES
from recommender.data.prepared import Prepared


def samples(client: TestClient) -> dict[tuple[str, frozenset], float]:
    families = text_string_to_metric_families(client.get("http://test/metrics").text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(found: dict, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0.0)


def test_requests_are_counted_by_route_and_status_never_by_path(client: TestClient, titled: Prepared) -> None:
    for movie_id in titled.movies["movie_id"][:3]:
        client.get(f"movies/{movie_id}")
    client.get("movies/nope")
    client.get("http://test/random-1")
    client.request("BREW", "genres")
    found = samples(client)
    route = "/api/v1/movies/{movie_id}"
    assert value(found, "recommender_requests_total", method="GET", route=route, status="200") == 3
    assert value(found, "recommender_requests_total", method="GET", route=route, status="404") == 1
    assert value(found, "recommender_requests_total", method="GET", route="none", status="404") == 1
    assert value(found, "recommender_request_seconds_count", route=route) == 4
    text = client.get("http://test/metrics").text
    assert "random-1" not in text
    assert "BREW" not in text
    assert "_created" not in text


def test_lists_ratings_events_and_versions_are_counted(
    client: TestClient, application: Application, titled: Prepared
) -> None:
    user_id, movie_id = titled.users["user_id"][0], titled.movies["movie_id"][0]
    shown = client.get(f"users/{user_id}/recommendations").json()
    client.post(f"users/{user_id}/ratings", json={"movie_id": movie_id, "rating": 3})
    client.post(f"users/{user_id}/ratings", json={"movie_id": movie_id, "rating": 99})
    event = {"kind": "click", "user_id": user_id, "movie_ids": [shown["items"][0]["movie_id"]]}
    client.post("events", json={**event, "request_id": shown["request_id"]})
    found = samples(client)
    assert value(found, "recommender_lists_total", model="two_stage", assigned_by="default") == 1
    assert value(found, "recommender_stage_seconds_count", stage="ranking") == 1
    assert value(found, "recommender_ratings_total") == 1
    assert value(found, "recommender_events_total", kind="click", counts="true") == 1
    assert value(found, "recommender_model_version") == 7
    assert value(found, "recommender_store_version") == 1
    assert value(found, "recommender_left_out", part="ranking") == 0
    application.model.down = True
    for _ in range(FAILURES):
        client.get(f"users/{user_id}/recommendations")
    found = samples(client)
    degraded = [number for (name, _), number in found.items() if name == "recommender_degraded_total"]
    assert sum(degraded) >= 1
    assert value(found, "recommender_left_out", part="ranking") == 1
    assert value(found, "recommender_left_out", part="features") == 0
    version = value(found, "recommender_model_version")
    assert version != version  # NaN while nobody knows
