"""Whatever is asked, the answer is one of the API's: right, or a sentence that says what is wrong."""

from __future__ import annotations

import math
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from recommender.app.api import create_api

TEXT = some.text(max_size=20) | some.sampled_from(["1", "2", "-1", "0", "nan", "two_stage", "a b", "%", "\0"])
SCALAR = some.none() | some.booleans() | some.integers() | some.floats() | TEXT
JSON = some.recursive(SCALAR, lambda inner: some.lists(inner, max_size=3), max_leaves=5)
FUZZ = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def operations(client: TestClient) -> list[tuple[str, str, dict]]:
    description = client.get("/openapi.json").json()
    return [
        (method.upper(), path, {**operation, "schemas": description["components"]["schemas"]})
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]


@pytest.fixture
def whole_client(application) -> TestClient:
    with TestClient(create_api(application)) as client:
        yield client


def ask(draw, client: TestClient, method: str, path: str, operation: dict):
    """A request of an operation, each of its parameters and fields given, mostly nonsense."""
    query = {}
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            # A path does not have "/", "." and ".." as parts, and nothing is no part either.
            value = draw(TEXT.filter(lambda text: text.strip("./")))
            path = path.replace(f"{{{parameter['name']}}}", quote(value, safe="", errors="replace"))
        elif draw(some.booleans()):
            query[parameter["name"]] = draw(TEXT)
    body = None
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = operation["schemas"][content["schema"]["$ref"].rsplit("/", 1)[-1]]
        body = draw(JSON | some.fixed_dictionaries({}, optional=dict.fromkeys(schema["properties"], JSON)))
    return client.request(method, path, params=query, **({} if body is None else {"json": finite(body)}))


def finite(value):
    """JSON has no NaN; the client would refuse to send one."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@FUZZ
@given(data=some.data())
def test_no_request_of_a_described_operation_fails(whole_client: TestClient, data) -> None:
    for method, path, operation in operations(whole_client):
        answer = ask(data.draw, whole_client, method, path, operation)
        described = {int(status) for status in operation["responses"]}
        assert answer.status_code in described, (method, answer.request.url, answer.text)
        assert answer.status_code < 500
        if answer.status_code >= 400:
            assert set(answer.json()) == {"error", "request_id"}
            assert "\n" not in answer.json()["error"]


@FUZZ
@given(body=some.binary(max_size=200))
def test_no_bytes_as_a_body_fail(whole_client: TestClient, body: bytes) -> None:
    for path in ("/api/v1/users", "/api/v1/events", "/api/v1/users/1/ratings"):
        answer = whole_client.post(path, content=body, headers={"content-type": "application/json"})
        assert answer.status_code in (201, 404, 422)
