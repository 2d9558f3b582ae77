"""The JSON API: every endpoint's answer, and every way to ask badly."""

from __future__ import annotations

import json
import logging

import pytest
from fastapi.testclient import TestClient

from app.api.conftest import SCRIPT
from recommender.app.api import create_api
from recommender.app.application import Application
from recommender.app.features import StoreUnavailableError
from recommender.data.prepared import Prepared


@pytest.fixture
def user_id(titled: Prepared) -> str:
    return titled.users["user_id"][0]


@pytest.fixture
def movie_id(titled: Prepared) -> str:
    return titled.movies["movie_id"][0]


def check_problem(response, status: int, sentence: str) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"error": sentence, "request_id": response.headers["x-request-id"]}


def test_movies_and_users_are_answered_with_their_facts(client, application, user_id, movie_id) -> None:
    assert client.get(f"movies/{movie_id}").json() == application.movie(movie_id).model_dump(mode="json")
    assert client.get(f"users/{user_id}").json() == application.user(user_id).model_dump(mode="json")


def test_lists_that_are_the_same_for_everybody(client, application, movie_id: str) -> None:
    genre = application.genres()[0].genre
    for path, expected in {
        "genres": application.genres(),
        f"genres/{genre}/movies?n=3&sort=year": application.genre_movies(genre, 3, "year"),
        "search?q=matrix": application.search("matrix"),
        f"movies/{movie_id}/similar?n=4&model=genre": application.similar(movie_id, 4, "genre"),
    }.items():
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.json() == [one.model_dump(mode="json") for one in expected]
    assert client.get("users?n=3").json() == application.users(3)


def test_recommendations_take_every_parameter(client: TestClient, application, user_id: str) -> None:
    genre = application.genres()[0].genre
    query = f"n=3&model=rating&genre={genre}&year_from=1950&year_to=2020&diversity=0.5&explain=true"
    answer = client.get(f"users/{user_id}/recommendations?{query}")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["model"], body["assigned_by"]) == ("rating", "override")
    assert body["request_id"] == answer.headers["x-request-id"]
    assert 1 <= len(body["items"]) <= 3
    for item in body["items"]:
        assert genre in item["genres"]
        assert 1950 <= item["year"] <= 2020
        assert item["because"] is not None
        assert item["channels"]
    assert {stage["name"] for stage in body["inside"]} >= {"ranking", "retrieval"}


def test_a_posted_rating_changes_the_next_list(client: TestClient, user_id: str) -> None:
    def listed() -> list[str]:
        items = client.get(f"users/{user_id}/recommendations").json()["items"]
        return [item["movie_id"] for item in items]

    before = listed()
    answer = client.post(f"users/{user_id}/ratings", json={"movie_id": before[0], "rating": 4})
    assert answer.status_code == 201
    stored = answer.json()
    assert (stored["user_id"], stored["movie_id"], stored["rating"]) == (user_id, before[0], 4.0)
    assert before[0] not in listed()
    answer = client.delete(f"users/{user_id}/ratings/{before[0]}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert listed() == before
    sentence = f"user {user_id!r} has not rated a movie with the id {before[0]!r}"
    check_problem(client.delete(f"users/{user_id}/ratings/{before[0]}"), 404, sentence)


def test_a_newcomer_is_answered_with_recommendations(client: TestClient, movie_id: str) -> None:
    answer = client.post("users?n=4", json={"liked": [movie_id], "age": 33, "gender": "F"})
    assert answer.status_code == 201
    body = answer.json()
    assert len(body["recommendations"]["items"]) == 4
    facts = client.get(f"users/{body['user_id']}").json()
    assert (facts["age"], facts["gender"], facts["occupation"]) == (33, "F", None)
    assert client.post("users", json={}).status_code == 201


def test_events_say_whether_they_count(client: TestClient, user_id: str) -> None:
    shown = client.get(f"users/{user_id}/recommendations?n=2").json()
    event = {
        "kind": "impression",
        "request_id": shown["request_id"],
        "user_id": user_id,
        "movie_ids": [item["movie_id"] for item in shown["items"]],
    }
    answer = client.post("events", json=event)
    assert (answer.status_code, answer.json()) == (202, {"counts": True})
    assert client.post("events", json={**event, "request_id": "other"}).json() == {"counts": False}
    assert client.get("experiments").json() == []


def test_unknown_ids_are_404_with_one_sentence(client: TestClient, user_id: str, movie_id: str) -> None:
    for path, sentence in {
        "movies/nope": "no movie has the id 'nope'",
        "movies/nope/similar": "no movie has the id 'nope'",
        "users/nope": "no user has the id 'nope'",
        "users/nope/recommendations": "no user has the id 'nope'",
        "genres/nope/movies": "no genre has the name 'nope'",
        "nope": "nothing is at '/api/v1/nope'",
    }.items():
        check_problem(client.get(path), 404, sentence)
    rating = {"movie_id": movie_id, "rating": 3}
    check_problem(client.post("users/nope/ratings", json=rating), 404, "no user has the id 'nope'")
    unknown = {"movie_id": "nope", "rating": 3}
    check_problem(client.post(f"users/{user_id}/ratings", json=unknown), 404, "no movie has the id 'nope'")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("n=0", "n: must be greater than or equal to 1, received '0'"),
        ("n=101", "n: must be less than or equal to 100, received '101'"),
        ("n=ten", "n: must be a valid integer, unable to parse string as an integer, received 'ten'"),
        ("diversity=nan", "diversity: must be a finite number, received 'nan'"),
        ("diversity=2", "diversity: must be less than or equal to 1, received '2'"),
        ("year_from=12", "year_from: must be greater than or equal to 1800, received '12'"),
        ("year_from=2000&year_to=1990", "year_from: must not be after year_to, received 2000 and 1990"),
        ("model=magic", "model: must be one of two_stage, rating, retrieval, popular, received 'magic'"),
        (
            "explain=so",
            "explain: must be a valid boolean, unable to interpret input, received 'so'",
        ),
    ],
)
def test_a_bad_parameter_is_422_naming_field_rule_and_value(client, user_id, query, sentence) -> None:
    check_problem(client.get(f"users/{user_id}/recommendations?{query}"), 422, sentence)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"rating": 3}, "movie_id: is required"),
        ({"movie_id": "1", "rating": "3"}, "rating: must be a valid number, received '3'"),
        ({"movie_id": "1", "rating": 3, "stars": 1}, "stars: unknown field"),
        ({"movie_id": 1, "rating": 3}, "movie_id: must be a valid string, received 1"),
        ([], "body: must be a valid dictionary or object to extract fields from, received []"),
    ],
)
def test_a_bad_body_is_422_naming_field_rule_and_value(client, user_id, body, sentence) -> None:
    check_problem(client.post(f"users/{user_id}/ratings", json=body), 422, sentence)


def test_a_rating_off_the_scale_is_422(client: TestClient, user_id: str, movie_id: str) -> None:
    body = {"movie_id": movie_id, "rating": 7}
    sentence = "rating: must be from 1 to 5, received 7.0"
    response = client.post(f"users/{user_id}/ratings", json=body)
    assert response.status_code == 422
    assert sentence.partition("from")[0] in response.json()["error"]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff\xfe",
        b"",
        b'{"movie_id": "1", "rating": NaN}',
        b'{"movie_id": "\\ud800", "rating": 1}',
        b"[" * 30_000,
    ],
    ids=["cut off", "not UTF-8", "empty", "NaN", "half a character", "deeper than any parser"],
)
def test_a_body_that_is_no_json_is_422(client: TestClient, user_id: str, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    response = client.post(f"users/{user_id}/ratings", content=content, headers=headers)
    assert response.status_code == 422
    assert set(response.json()) == {"error", "request_id"}


def test_another_method_is_405(client: TestClient, movie_id: str) -> None:
    response = client.put(f"movies/{movie_id}")
    check_problem(response, 405, f"'/api/v1/movies/{movie_id}' does not take PUT")
    assert response.headers["allow"] == "GET"


def test_a_request_keeps_the_id_it_came_with(client: TestClient) -> None:
    assert client.get("genres", headers={"X-Request-ID": "mine-1"}).headers["x-request-id"] == "mine-1"
    for bad in ("a b", "x" * 65, '"><script>'):
        given = client.get("genres", headers={"X-Request-ID": bad}).headers["x-request-id"]
        assert given not in ("", bad)


def test_a_title_that_is_a_script_is_plain_text(client: TestClient, titled: Prepared) -> None:
    movie_id = titled.movies["movie_id"][1]
    answer = client.get(f"movies/{movie_id}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["title"] == SCRIPT
    assert client.get("search", params={"q": "<script>alert"}).json()[0]["movie_id"] == movie_id


def test_a_failure_is_500_without_its_cause_which_is_in_the_log(client, application, caplog) -> None:
    def fail() -> None:
        raise ZeroDivisionError("a secret")

    application.genres = fail
    with caplog.at_level(logging.ERROR):
        response = client.get("genres", headers={"X-Request-ID": "broken-1"})
    sentence = "the server failed to answer; its log says why, by the request id"
    check_problem(response, 500, sentence)
    assert "broken-1" in caplog.text
    assert "a secret" in caplog.text


def test_without_the_store_facts_are_503_and_lists_degraded(
    client, application, user_id: str, movie_id: str
) -> None:
    expected = client.get(f"users/{user_id}/recommendations").json()
    assert expected["degraded"] == []

    def fail(*arguments: object) -> None:
        raise StoreUnavailableError("the store is down")

    for name in ("read", "log", "change", "catalogue", "blob"):
        setattr(application.store.backend, name, fail)
    rating = {"movie_id": movie_id, "rating": 3}
    for response in (
        client.get(f"users/{user_id}"),
        client.post(f"users/{user_id}/ratings", json=rating),
        client.delete(f"users/{user_id}/ratings/{movie_id}"),
        client.post("users", json={}),
    ):
        check_problem(response, 503, "the store is down")
        assert response.headers["retry-after"] == "1"
    answer = client.get(f"users/{user_id}/recommendations")
    assert answer.status_code == 200
    assert answer.json()["degraded"]
    assert len(answer.json()["items"]) == 10


def test_readiness_says_what_does_not_answer(client: TestClient, application: Application) -> None:
    assert client.get("http://test/healthz").json() == {"status": "ok"}
    ready = client.get("http://test/readyz")
    assert (ready.status_code, ready.json()) == (200, {"model_version": 7, "store_version": 1})
    application.model.down = True
    ready = client.get("http://test/readyz")
    assert (ready.status_code, ready.json()) == (503, {"model_version": None, "store_version": 1})


def test_numbers_that_are_not_finite_are_null(application: Application, titled: Prepared, client) -> None:
    answer = application.genre_movies(application.genres()[0].genre, 1)[0]
    application.search = lambda query, n: [answer.model_copy(update={"average": float("nan")})]
    text = client.get("search?q=x").text
    assert json.loads(text)[0]["average"] is None
    assert "NaN" not in text


def test_the_description_names_every_endpoint_with_its_types(client: TestClient) -> None:
    description = client.get("http://test/openapi.json").json()
    paths = {path.removeprefix("/api/v1/"): set(methods) for path, methods in description["paths"].items()}
    assert paths == {
        "movies/{movie_id}": {"get"},
        "movies/{movie_id}/similar": {"get"},
        "genres": {"get"},
        "genres/{genre}/movies": {"get"},
        "search": {"get"},
        "users": {"get", "post"},
        "users/{user_id}": {"get"},
        "users/{user_id}/ratings": {"post"},
        "users/{user_id}/ratings/{movie_id}": {"delete"},
        "users/{user_id}/recommendations": {"get"},
        "events": {"post"},
        "experiments": {"get"},
    }
    for methods in description["paths"].values():
        for operation in methods.values():
            problem = operation["responses"]["422"]["content"]["application/json"]["schema"]
            assert problem == {"$ref": "#/components/schemas/Problem"}


def test_the_reference_page_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("http://test/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    assert "//" not in page.text.replace("<!doctype", "")
    for name in ("/api/v1/users/{user_id}/recommendations", "MovieFacts", "year_from"):
        assert name in page.text


def test_the_api_needs_no_pages(application: Application) -> None:
    with TestClient(create_api(application)) as client:
        assert client.get("/nope").status_code == 404
