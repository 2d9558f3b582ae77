"""The REST API from outside: every case against a running server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
import requests
from contract_cases import CASES, Case
from served_models import place_models, running_server

REAL = os.environ.get("RECOMMENDER_TFS_URL")


@pytest.fixture(scope="module")
def url(saved_models, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Ours, or TensorFlow Serving itself where RECOMMENDER_TFS_URL names one (see served_models.py)."""
    if REAL:
        yield REAL.rstrip("/")
        return
    with running_server(place_models(saved_models, tmp_path_factory.mktemp("models"))) as url:
        yield url


@pytest.mark.parametrize("case", CASES, ids=str)
def test_answers_as_tensorflow_serving(case: Case, url: str) -> None:
    body = None if case.body is None else case.body.encode()
    answer = requests.request(case.method, url + case.target, data=body, timeout=30)
    assert answer.status_code == case.status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    if case.text is not None:
        assert answer.text == case.text
    if case.answer is not None:
        assert json.loads(answer.text) == case.answer
    if case.error is not None:
        assert json.loads(answer.text) == {"error": case.error}
    if case.says is not None:
        assert case.says in json.loads(answer.text)["error"]


def test_every_case_expects_something() -> None:
    assert all(
        case.source and (case.answer or case.error or case.says or case.text) is not None for case in CASES
    )


def test_a_request_that_changes_the_model_runs_once(url: str) -> None:
    """export_counter.py: quick requests come to run in another way than the first."""

    def count(delta: float) -> float:
        body = {"signature_name": "incr_counter_by", "inputs": delta}
        answer = requests.post(f"{url}/v1/models/counter:predict", json=body, timeout=30)
        return answer.json()["outputs"]

    before = count(0.0)
    assert [count(1.0) - before for _ in range(50)] == list(range(1, 51))


@pytest.mark.skipif(
    bool(REAL), reason="RECOMMENDER_TFS_URL names a real server, which has its own words for it"
)
def test_a_version_that_does_not_load_is_reported(url: str) -> None:
    (status,) = requests.get(f"{url}/v1/models/broken", timeout=30).json()["model_version_status"]
    assert status["version"] == "1"
    assert status["state"] == "END"
    assert status["status"]["error_code"] not in ("", "OK")
    assert status["status"]["error_message"]
