"""Requests to answers, over stand-ins for models: the order of checks, failures, and what is counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from recommender.serving.monitoring.families import REQUEST_LATENCY, REQUESTS
from recommender.serving.monitoring.metrics import Metrics
from recommender.serving.rest.api import RestApi
from recommender.serving.rest.response import Response
from recommender.serving.servables.version_status import State, VersionStatus
from recommender.serving.status import Code, ServingError, invalid
from recommender.serving.tensors import TensorInfo, Tensors


class Doubling:
    """A model `x` -> `2 x` that can be told to fail."""

    failure: Exception | None = None

    def __init__(self) -> None:
        self.timeouts: list[int] = []
        self.hurried: list[bool] = []

    def inputs(self, signature_name: str) -> dict[str, TensorInfo]:
        if signature_name not in ("", "serving_default"):
            raise invalid(f'Serving signature name: "{signature_name}" not found in signature def')
        return {"x": TensorInfo("x:0", "float", (-1,))}

    def predict(
        self, signature_name: str, inputs: Tensors, timeout_ms: int, must_be_quick: bool = False
    ) -> Tensors:
        self.timeouts.append(timeout_ms)
        self.hurried.append(must_be_quick)
        if self.failure:
            raise self.failure
        return {"y": inputs["x"] * np.float32(2)}

    def classify(self, signature_name: str, examples: list[bytes], timeout_ms: int) -> list:
        return [[(b"yes", 0.75)] for _ in examples]

    def regress(self, signature_name: str, examples: list[bytes], timeout_ms: int) -> list[float]:
        return [1.5 for _ in examples]

    def metadata_json(self) -> bytes:
        return b"{}\n"


class OneModel:
    """A manager of `Doubling` as model "m", version 3, that counts what is borrowed."""

    def __init__(self) -> None:
        self.model = Doubling()
        self.borrowed = self.returned = 0

    @contextmanager
    def servable(self, name: str, version: int | None, label: str | None) -> Iterator[Doubling]:
        if name != "m":
            raise ServingError(Code.NOT_FOUND, f"Servable not found for request: Latest({name})")
        self.borrowed += 1
        try:
            yield self.model
        finally:
            self.returned += 1

    def statuses(self, name: str, version: int | None, label: str | None) -> list[VersionStatus]:
        if name != "m":
            raise ServingError(Code.NOT_FOUND, f"Could not find any versions of model {name}")
        broken = VersionStatus(4, State.END, Code.NOT_FOUND, 'no "<graph>" there')
        return [broken, VersionStatus(3, State.AVAILABLE)]


@pytest.fixture
def manager() -> OneModel:
    return OneModel()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def api(manager: OneModel, metrics: Metrics) -> RestApi:
    return RestApi(manager, metrics, 30_000)  # type: ignore[arg-type]


def error_of(response: Response) -> str:
    return json.loads(response.body)["error"]


def test_predict_classify_and_regress_answer_in_their_own_forms(api: RestApi) -> None:
    rows = api.handle("POST", "/v1/models/m:predict", b'{"instances": [1, 2.5]}')
    columns = api.handle("POST", "/v1/models/m:predict", b'{"inputs": {"x": [1, 2.5]}}')
    assert (rows.status, rows.content_type) == (200, "application/json")
    assert json.loads(rows.body) == {"predictions": [2.0, 5.0]}
    assert json.loads(columns.body) == {"outputs": [2.0, 5.0]}
    examples = b'{"examples": [{"x": 1}, {"x": 2}]}'
    classes = api.handle("POST", "/v1/models/m:classify", examples)
    values = api.handle("POST", "/v1/models/m:regress", examples)
    assert json.loads(classes.body) == {"results": [[["yes", 0.75]], [["yes", 0.75]]]}
    assert json.loads(values.body) == {"results": [1.5, 1.5]}


def test_the_status_is_written_as_protobuf_writes_it(api: RestApi) -> None:
    # http_rest_api_handler_test.cc, GetStatus, with the escapes of protobuf's json_util
    assert api.handle("GET", "/v1/models/m", b"").body == (
        b'{\n "model_version_status": [\n'
        b'  {\n   "version": "4",\n   "state": "END",\n   "status": {\n    "error_code": "NOT_FOUND",\n'
        b'    "error_message": "no \\"\\u003cgraph\\u003e\\" there"\n   }\n  },\n'
        b'  {\n   "version": "3",\n   "state": "AVAILABLE",\n   "status": {\n    "error_code": "OK",\n'
        b'    "error_message": ""\n   }\n  }\n ]\n}\n'
    )


def test_metadata_is_the_models_own(api: RestApi, manager: OneModel) -> None:
    assert api.handle("GET", "/v1/models/m/metadata", b"") == Response(200, "application/json", b"{}\n")
    assert manager.borrowed == manager.returned == 1


@pytest.mark.parametrize("verb", ["predict", "classify", "regress"])
def test_json_is_read_before_the_model_is_looked_up(api: RestApi, verb: str) -> None:
    # FillPredictRequestFromJson asks for the model after parsing; ProcessClassifyRequest fills first
    response = api.handle("POST", f"/v1/models/unknown:{verb}", b"")
    assert response.status == 400
    assert error_of(response) == "JSON Parse error: The document is empty"


@pytest.mark.parametrize("verb", ["classify", "regress"])
def test_examples_are_read_whole_before_the_model_is_looked_up(api: RestApi, verb: str) -> None:
    response = api.handle("POST", f"/v1/models/unknown:{verb}", b'{"examples": [1]}')
    assert response.status == 400
    response = api.handle("POST", f"/v1/models/unknown:{verb}", b'{"examples": [{"x": 1}]}')
    assert (response.status, error_of(response)) == (404, "Servable not found for request: Latest(unknown)")


def test_rows_are_read_after_the_model_was_looked_up(api: RestApi) -> None:
    response = api.handle("POST", "/v1/models/unknown:predict", b'{"instances": ["no number"]}')
    assert (response.status, error_of(response)) == (404, "Servable not found for request: Latest(unknown)")


def test_a_signature_is_looked_for_in_the_model_that_was_found(api: RestApi, manager: OneModel) -> None:
    body = b'{"signature_name": "other", "instances": [1]}'
    assert error_of(api.handle("POST", "/v1/models/m:predict", body)) == (
        'Serving signature name: "other" not found in signature def'
    )
    assert manager.borrowed == manager.returned > 0


@pytest.mark.parametrize(
    "body", [b'{"instances": [1]}', b'{"instances": ["a"]}', b"", b'{"signature_name": 1}']
)
def test_a_model_is_given_back_whatever_happens(api: RestApi, manager: OneModel, body: bytes) -> None:
    for failure in (None, invalid("bad"), ValueError("ours")):
        manager.model.failure = failure
        api.handle("POST", "/v1/models/m:predict", body)
    assert manager.borrowed == manager.returned


def test_a_failing_model_is_told_in_its_own_words(api: RestApi, manager: OneModel) -> None:
    manager.model.failure = ServingError(Code.DEADLINE_EXCEEDED, "too late")
    response = api.handle("POST", "/v1/models/m:predict", b'{"instances": [1]}')
    assert (response.status, error_of(response)) == (504, "too late")


def test_a_fault_of_ours_is_logged_and_not_told(
    api: RestApi, manager: OneModel, caplog: pytest.LogCaptureFixture
) -> None:
    manager.model.failure = KeyError("secret")
    response = api.handle("POST", "/v1/models/m:predict", b'{"instances": [1]}')
    assert response.status == 500
    assert b"secret" not in response.body
    assert b"Traceback" not in response.body
    assert "KeyError: 'secret'" in caplog.text


def test_a_request_that_waited_for_longer_than_it_may_is_not_run(api: RestApi, manager: OneModel) -> None:
    body = b'{"instances": [1]}'
    assert api.handle("POST", "/v1/models/m:predict", body, waited=30.0).status == 504
    assert manager.model.timeouts == []
    assert api.handle("POST", "/v1/models/m:predict", body, waited=29.9).status == 200
    assert manager.model.timeouts == [30_000]


def test_the_model_is_told_when_others_wait_for_a_request(api: RestApi, manager: OneModel) -> None:
    for quick in (True, False):
        assert api.handle("POST", "/v1/models/m:predict", b'{"instances": [1]}', quick=quick).status == 200
    assert manager.model.hurried == [True, False]


def test_without_a_timeout_a_request_may_wait(manager: OneModel, metrics: Metrics) -> None:
    api = RestApi(manager, metrics, 0)  # type: ignore[arg-type]
    assert api.handle("POST", "/v1/models/m:predict", b'{"instances": [1]}', waited=1e6).status == 200


def test_requests_are_counted_by_model_and_status_and_timed_by_verb(api: RestApi, metrics: Metrics) -> None:
    for path in ("/v1/models/m:predict", "/v1/models/m:predict", "/v1/models/m:Predict"):
        api.handle("POST", path, b'{"instances": [1]}')
    api.handle("POST", "/v1/models/m:predict", b"")
    api.handle("GET", "/v1/models/m", b"")
    api.handle("GET", "/v1/models/gone", b"")
    assert metrics.counters == {
        (REQUESTS, ("m", "OK")): 3,
        (REQUESTS, ("m", "INVALID_ARGUMENT")): 1,
        (REQUESTS, ("", "INVALID_ARGUMENT")): 1,
        (REQUESTS, ("gone", "NOT_FOUND")): 1,
    }
    timed = {labels: sum(histogram.counts) for (_, labels), histogram in metrics.histograms.items()}
    assert timed == {("m", "predict", "REST"): 2, ("m", "", "REST"): 1}
    assert all(family is REQUEST_LATENCY for family, _ in metrics.histograms)
