"""The pages on an application of fixed answers, asked without a browser."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fixed_application import FixedApplication

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette prefers another HTTP client
    from fastapi.testclient import TestClient

from recommender.app.pages import add_pages


def make_server(application: FixedApplication) -> FastAPI:
    api = FastAPI(docs_url=None)

    @api.put("/api/v1/only-put")
    def only_put() -> str:
        return "put"

    add_pages(api, application)  # type: ignore[arg-type]
    return api


@pytest.fixture
def application() -> FixedApplication:
    return FixedApplication()


@pytest.fixture
def client(application: FixedApplication) -> TestClient:
    """A visitor who has chosen nobody."""
    return TestClient(make_server(application), raise_server_exceptions=False)


@pytest.fixture
def client_of() -> Callable[[FixedApplication], TestClient]:
    """`client_of(application)`: user 42 on an application of the test's own."""

    def client_of(application: FixedApplication) -> TestClient:
        client = TestClient(make_server(application), raise_server_exceptions=False)
        client.post("/visitor", data={"user_id": "42"})
        return client

    return client_of


@pytest.fixture
def user_42(application: FixedApplication, client_of: Callable[[FixedApplication], TestClient]) -> TestClient:
    """A visitor who has chosen to be user 42, who rated movies 8 and 2."""
    return client_of(application)
