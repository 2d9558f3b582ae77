"""The API over real SavedModels: the cases of TensorFlow Serving's http_rest_api_handler_test.cc.

`saved_model_half_plus_two_2_versions` there is `half` here, with version 123; y = x / 2 + 2.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from recommender.serving.monitoring.metrics import Metrics
from recommender.serving.rest.response import Response

if TYPE_CHECKING:
    from saved_models import SavedModels

    from recommender.serving.rest.api import RestApi


@pytest.fixture(scope="module")
def api(saved_models: SavedModels, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestApi]:
    from recommender.serving.rest.api import RestApi
    from recommender.serving.servables.manager import ModelManager
    from recommender.serving.servables.model_config import ModelConfig, VersionPolicy

    base = tmp_path_factory.mktemp("models")
    saved_models.place("half_plus_two", base / "half" / "123")
    saved_models.place("half_plus_three", base / "labelled" / "1")
    saved_models.place("half_plus_two", base / "labelled" / "2")
    saved_models.place("slow", base / "slow" / "1")
    models = [
        ModelConfig("half", base / "half"),
        ModelConfig("labelled", base / "labelled", VersionPolicy("all"), {"stable": 1, "canary/new": 2}),
        ModelConfig("slow", base / "slow"),
    ]
    manager = ModelManager(models, poll_seconds=0)
    manager.start()
    yield RestApi(manager, Metrics(), timeout_ms=300)
    manager.stop()


def ask(api: RestApi, path: str, body: Any) -> tuple[int, Any]:
    """Status and answer of a POST; `body` may be text that is sent as it is."""
    sent = body if isinstance(body, str) else json.dumps(body)
    return read(api.handle("POST", f"/v1/models/{path}", sent.encode()))


def look(api: RestApi, path: str) -> tuple[int, Any]:
    return read(api.handle("GET", f"/v1/models/{path}", b""))


def read(response: Response) -> tuple[int, Any]:
    assert response.content_type == "application/json"
    return response.status, json.loads(response.body)


ANSWERS = [
    # Predict
    ("half:predict", {"instances": [[1.0, 2.0], [3.0, 4.0]]}, {"predictions": [[2.5, 3.0], [3.5, 4.0]]}),
    ("half/versions/123:predict", {"instances": [1.0, 2.0]}, {"predictions": [2.5, 3.0]}),
    (
        "half/versions/123:predict",
        {"signature_name": "serving_default", "instances": [3.0, 4.0]},
        {"predictions": [3.5, 4.0]},
    ),
    (
        "half/versions/123:predict",
        {"signature_name": "serving_default", "inputs": [3.0, 4.0]},
        {"outputs": [3.5, 4.0]},
    ),
    # Regress
    (
        "half:regress",
        {"signature_name": "regress_x_to_y", "examples": [{"x": 80.0}]},
        {"results": [42.0]},
    ),
    (
        "half/versions/123:regress",
        {"signature_name": "regress_x_to_y", "examples": [{"x": 80.0}]},
        {"results": [42.0]},
    ),
    # Classify
    (
        "half:classify",
        {"signature_name": "classify_x_to_y", "examples": [{"x": 20.0}]},
        {"results": [[["", 12.0]]]},
    ),
    (
        "half/versions/123:classify",
        {"signature_name": "classify_x_to_y", "examples": [{"x": 10.0}]},
        {"results": [[["", 7.0]]]},
    ),
    # Labels, as in g3doc/api_rest.md; their names are decoded
    ("labelled/labels/stable:predict", {"instances": [1.0]}, {"predictions": [3.5]}),
    ("labelled/labels/canary%2Fnew:predict", {"instances": [1.0]}, {"predictions": [2.5]}),
    ("labelled:predict", {"instances": [1.0]}, {"predictions": [2.5]}),
]


@pytest.mark.parametrize(("path", "body", "answer"), ANSWERS)
def test_a_model_answers(api: RestApi, path: str, body: Any, answer: Any) -> None:
    assert ask(api, path, body) == (200, answer)


ERRORS = [
    # PredictModelNameVersionErrors
    ("foo:predict", {"instances": [1]}, 404, "Servable not found for request: Latest(foo)"),
    ("foo/versions/5:predict", {"instances": [1]}, 404, "Servable not found for request: Specific(foo, 5)"),
    ("half/versions/9:predict", {"instances": [1]}, 404, "Servable not found for request: Specific(half, 9)"),
    ("half99:predict", {"instances": [1]}, 404, "Servable not found for request: Latest(half99)"),
    # PredictRequestErrors
    ("half:predict", "", 400, "JSON Parse error: The document is empty"),
    ("half:predict", "instances = [1, 2]", 400, "JSON Parse error: Invalid value"),
    ("half:predict", {"instances": ["a", 2]}, 400, "not of expected type: float"),
    # Both in one request are not a case of the patterns; an unknown label is one of server_core.cc
    ("labelled/labels/gone:predict", {"instances": [1]}, 400, "Unrecognized servable version label: gone"),
    ("half:Predict", {"instances": [1]}, 400, "Malformed request: POST /v1/models/half:Predict"),
    ("half/versions/18446744073709551615:predict", "", 400, "Failed to convert version: 1844674"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "status", "message"), ERRORS)
def test_a_request_fails_in_serving_s_words(
    api: RestApi, path: str, body: Any, status: int, message: str
) -> None:
    got, answer = ask(api, path, body)
    assert got == status
    assert list(answer) == ["error"]
    assert message in answer["error"]


def test_the_status_of_a_model_or_one_of_its_versions(api: RestApi) -> None:
    # GetStatus
    available = {"version": "123", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    assert look(api, "half") == (200, {"model_version_status": [available]})
    assert look(api, "half/versions/123") == (200, {"model_version_status": [available]})
    assert look(api, "half/METADATA") == (200, {"model_version_status": [available]})
    status, both = look(api, "labelled")
    assert (status, [one["version"] for one in both["model_version_status"]]) == (200, ["2", "1"])


def test_the_status_of_what_is_not_there(api: RestApi) -> None:
    # get_model_status_impl.cc
    assert look(api, "foo") == (404, {"error": "Could not find any versions of model foo"})
    assert look(api, "half/versions/1") == (404, {"error": "Could not find version 1 of model half"})


def test_the_metadata_of_a_model_and_of_a_version(api: RestApi) -> None:
    for path in ("half/metadata", "half/versions/123/metadata"):
        status, answer = look(api, path)
        assert (status, answer["model_spec"]["name"], answer["model_spec"]["version"]) == (200, "half", "123")
        assert "serving_default" in answer["metadata"]["signature_def"]["signature_def"]
    assert look(api, "labelled/labels/stable/metadata")[1]["model_spec"]["version"] == "1"
    assert look(api, "foo/metadata")[0] == 404


def test_a_model_that_takes_longer_than_it_may_is_stopped(api: RestApi) -> None:
    status, answer = ask(api, "slow:predict", {"inputs": 20_000_000})
    assert status == 504
    quick = api.handle("POST", "/v1/models/slow:predict", b'{"inputs": 20000000}', quick=True)
    assert quick.status == 504, "a loop is not steady: it is not let run without limit"
    assert list(answer) == ["error"]
    assert ask(api, "slow:predict", {"inputs": 3}) == (200, {"outputs": 3})
