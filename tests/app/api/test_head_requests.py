"""HEAD answers as GET does, without the body: health checkers ask so."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from recommender.app.api import create_api
from recommender.app.application import Application
from recommender.app.pages import add_pages


@pytest.fixture
def site(application: Application) -> TestClient:
    api = create_api(application)
    add_pages(api, application)
    return TestClient(api)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/genres",
        "/healthz",
        "/readyz",
        "/docs",
        "/static/theme.js",
        "/api/v1/genres",
        "/movies/none",
        "/api/v1/x",
    ],
)
def test_head_has_the_status_and_headers_of_get_and_no_body(site: TestClient, path: str) -> None:
    get, head = site.get(path), site.head(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    changing = {"x-request-id"}
    assert {name for name in head.headers if name not in changing} == set(get.headers) - changing
    assert head.headers["content-length"] == get.headers["content-length"]


def test_head_of_what_only_posts_is_405_and_counts_as_head(site: TestClient) -> None:
    assert site.head("/api/v1/events").status_code == 405
    assert site.head("/healthz").status_code == 200
    counted = site.get("/metrics").text
    assert 'recommender_requests_total{method="HEAD",route="/healthz",status="200"} 1.0' in counted
