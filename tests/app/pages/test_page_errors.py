"""Errors are pages in the same design; under the API they are the API's."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from fixed_application import SCRIPT, FixedApplication
from html_elements import elements

from recommender.app.features import StoreUnavailableError


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/nowhere", 404, "There is no page at this address."),
        ("/movies/99", 404, "No movie has the id '99'."),
        ("/users/99", 404, "No user has the id '99'."),
        ("/genres/Opera", 404, "No genre has the name 'Opera'."),
        ("/genres/Drama?n=0", 422, "N: Input should be greater than or equal to 1."),
        ("/genres/Drama?sort=age", 422, "Sort: Input should be 'rating', 'popularity' or 'year'."),
        ("/movies/1?similar=magic", 422, None),
        ("/users/42?model=magic", 422, None),
        ("/search?q=" + "x" * 201, 422, None),
        ("/static/nothing.css", 404, None),
    ],
)
def test_what_is_wrong_is_one_sentence_in_the_design(
    client: TestClient, path: str, status: int, sentence: str | None
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    (shown,) = elements(answer.text, "p", id="problem-sentence")
    assert sentence is None or shown.text == sentence
    assert elements(answer.text, "header", class_="top")


def test_what_only_the_store_can_answer_is_a_503_that_names_no_innards(
    application: FixedApplication, user_42: TestClient
) -> None:
    def user(user_id: str) -> None:
        raise StoreUnavailableError("redis://secret-host:6379 does not answer")

    application.user = user  # type: ignore[assignment, method-assign]
    for answer in (
        user_42.post("/ratings", data={"movie_id": "1", "rating": "4"}),
        user_42.post("/visitor", data={"user_id": "7"}),
        user_42.get("/newcomer?user=7"),
    ):
        assert answer.status_code == 503
        assert "secret-host" not in answer.text
        (shown,) = elements(answer.text, "p", id="problem-sentence")
        assert shown.text == "The server cannot reach its data. Please try again in a moment."
    assert application.ratings["42"] == {"8": 5.0, "2": 4.0}


def test_a_fault_is_a_500_page_and_a_traceback_in_the_log(
    application: FixedApplication, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    application.genres = lambda: 1 / 0  # type: ignore[assignment, method-assign]
    answer = client.get("/genres")
    assert answer.status_code == 500
    assert elements(answer.text, "h1")[0].text == "Something broke"
    assert "ZeroDivisionError" in caplog.text
    assert "ZeroDivisionError" not in answer.text


def test_unknown_ids_are_repeated_as_text(client: TestClient) -> None:
    answer = client.get(f"/movies/{SCRIPT}")
    assert answer.status_code == 404
    assert SCRIPT not in answer.text
    assert SCRIPT in elements(answer.text, "p", id="problem-sentence")[0].text


def test_paths_under_the_api_are_left_to_the_api(client: TestClient) -> None:
    assert client.get("/api/v1/nowhere").headers["content-type"] == "application/json"
    assert client.get("/api/v1/only-put").status_code == 405


def test_wrong_methods_are_pages_too(client: TestClient) -> None:
    answer = client.get("/ratings")
    assert answer.status_code == 405
    assert elements(answer.text, "h1")[0].text == "Not possible"


@pytest.mark.parametrize("path", ["/", "/nowhere", "/static/theme.js"])
def test_every_answer_carries_the_policy(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/ratings", "/visitor", "/newcomer"])
def test_forms_of_other_sites_change_nothing(
    application: FixedApplication, user_42: TestClient, path: str
) -> None:
    form = {"movie_id": "1", "rating": "1", "user_id": "7", "liked": "1"}
    answer = user_42.post(path, data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert application.ratings == {"42": {"8": 5.0, "2": 4.0}, "7": {}}


@pytest.mark.parametrize(
    "body", [b"a=%ff", b"\xff", b"&".join(b"a=1" for _ in range(600))], ids=["percent", "bytes", "many"]
)
def test_forms_that_are_none_are_refused(user_42: TestClient, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert user_42.post("/ratings", content=body, headers=headers).status_code == 422
