"""What one client may ask for, and from where."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from recommender.app.api import create_api
from recommender.app.api.rate_limit import MOST_CLIENTS, RateLimit
from recommender.app.settings import AppSettings, LimitSettings


def with_settings(settings: AppSettings, **values: object) -> AppSettings:
    return AppSettings.model_validate({**settings.model_dump(), **values})


def test_a_body_that_is_too_large_is_413_however_it_is_sent(client: TestClient) -> None:
    large = b'{"liked": ["' + b"x" * 70_000 + b'"]}'
    headers = {"content-type": "application/json"}
    for content in (large, iter([large[:50_000], large[50_000:]])):  # the latter without its length
        response = client.post("users", content=content, headers=headers)
        assert response.status_code == 413
        assert response.json()["error"] == "body: must have at most 65536 bytes"
    # A request to nowhere is as limited as any other.
    assert client.post("nope", content=large, headers=headers).status_code == 413


def test_a_client_that_asks_too_fast_is_told_when_to_come_back(make_application, app_settings) -> None:
    settings = with_settings(app_settings, limits={"requests_per_second": 0.01, "burst": 3})
    with TestClient(create_api(make_application(settings))) as client:
        assert [client.get("/api/v1/genres").status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = client.get("/api/v1/genres")
        assert 90 <= int(refused.headers["retry-after"]) <= 100
        assert refused.json()["error"].startswith("too many requests, try again in ")
        assert refused.json()["request_id"] == refused.headers["x-request-id"]
        assert client.get("/healthz").status_code == 200  # watchers are not clients
        assert client.get("/metrics").status_code == 200


def test_a_bucket_holds_the_burst_and_fills_at_the_rate() -> None:
    now = [0.0]
    limit = RateLimit(LimitSettings(requests_per_second=2.0, burst=3), lambda: now[0])
    assert [limit.wait("a") for _ in range(4)] == [0, 0, 0, 1]
    assert limit.wait("b") == 0  # another client's bucket is its own
    now[0] = 0.5
    assert [limit.wait("a") for _ in range(2)] == [0, 1]
    now[0] = 1000.0
    assert [limit.wait("a") for _ in range(4)] == [0, 0, 0, 1]


def test_a_refused_client_waits_as_long_as_it_was_told() -> None:
    now = [0.0]
    limit = RateLimit(LimitSettings(requests_per_second=0.1, burst=1), lambda: now[0])
    assert limit.wait("a") == 0
    now[0] += limit.wait("a")
    assert limit.wait("a") == 0


def test_many_clients_take_bounded_memory() -> None:
    limit = RateLimit(LimitSettings(requests_per_second=1.0), lambda: 0.0)
    for client in range(MOST_CLIENTS + 100):
        limit.wait(str(client))
    assert len(limit._buckets) == MOST_CLIENTS


def test_no_limit_is_kept_where_none_is_set() -> None:
    limit = RateLimit(LimitSettings(), lambda: 0.0)
    assert {limit.wait("a") for _ in range(1000)} == {0}


@pytest.mark.parametrize(("origin", "allowed"), [("http://shop.test", True), ("http://other.test", False)])
def test_only_origins_of_the_settings_may_ask_from_a_browser(
    make_application, app_settings, origin: str, allowed: bool
) -> None:
    settings = with_settings(app_settings, cors_origins=["http://shop.test"])
    with TestClient(create_api(make_application(settings))) as client:
        for path in ("/api/v1/genres", "/api/v1/movies/nope"):
            answer = client.get(path, headers={"Origin": origin})
            assert (answer.headers.get("access-control-allow-origin") == origin) == allowed
        asked = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
        assert (client.options("/api/v1/genres", headers=asked).status_code == 200) == allowed


def test_no_origin_may_ask_from_a_browser_by_default(client: TestClient) -> None:
    answer = client.get("genres", headers={"Origin": "http://shop.test"})
    assert "access-control-allow-origin" not in answer.headers
