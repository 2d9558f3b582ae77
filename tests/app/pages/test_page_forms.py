"""Choosing a user, rating, taking back, and the newcomer's picks, all by plain forms."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from fixed_application import FixedApplication
from html_elements import elements


def test_the_chosen_user_is_kept_in_a_cookie_for_this_site_only(client: TestClient) -> None:
    answer = client.post("/visitor", data={"user_id": " 42 ", "next": "/genres"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/genres")
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("user=42;")
    assert "samesite=lax" in cookie
    assert "httponly" in cookie
    assert "User 42" in client.get("/").text


def test_being_nobody_again(user_42: TestClient) -> None:
    page = user_42.post("/visitor", data={"user_id": "", "next": "/"}).text
    assert "Who is watching?" in page


def test_an_unknown_user_cannot_be_chosen(client: TestClient) -> None:
    answer = client.post("/visitor", data={"user_id": "99"})
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("cookie", ["99", "x" * 300, "%00", '"'], ids=["gone", "long", "zero", "quote"])
def test_a_cookie_of_a_user_that_is_not_known_is_nobody(client: TestClient, cookie: str) -> None:
    answer = client.get("/", headers={"Cookie": f"user={cookie}"})
    assert answer.status_code == 200
    assert "Who is watching?" in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "",
    ],
)
def test_forms_lead_nowhere_but_to_this_site(client: TestClient, address: str) -> None:
    answer = client.post("/visitor", data={"user_id": "42", "next": address}, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_a_rated_movie_leaves_the_list_and_comes_back_with_undo(
    application: FixedApplication, user_42: TestClient
) -> None:
    page = user_42.post("/ratings", data={"movie_id": "1", "rating": "4", "next": "/"}).text
    assert application.ratings["42"]["1"] == 4.0
    (notice,) = elements(page, "div", class_="notice")
    assert notice.text == "You gave Toy Story 4 stars. Undo"
    assert not elements(page, data_movie="1")

    page = user_42.post("/ratings", data={"movie_id": "1", "rating": "", "next": "/"}).text
    assert "1" not in application.ratings["42"]
    assert elements(page, data_movie="1")
    assert "Your rating of Toy Story is taken back." in elements(page, "div", class_="notice")[0].text


def test_undo_brings_the_rating_before_back(application: FixedApplication, user_42: TestClient) -> None:
    page = user_42.post("/ratings", data={"movie_id": "8", "rating": "1", "next": "/movies/8?similar=graph"})
    assert str(page.url).endswith("/movies/8?similar=graph&rated=8&before=5")
    (back,) = [
        one.attributes["value"]
        for one in elements(page.text, "input", name="rating")
        if one.attributes["value"]
    ]
    user_42.post("/ratings", data={"movie_id": "8", "rating": str(back), "next": "/"})
    assert application.ratings["42"]["8"] == 5.0


def test_stars_show_what_was_given(user_42: TestClient) -> None:
    page = user_42.get("/movies/2").text
    pressed = [
        one.attributes["value"] for one in elements(page, "button", name="rating", aria_pressed="true")
    ]
    assert pressed == ["4"]
    assert sum("data-on" in one.attributes for one in elements(page, "button", name="rating")) == 4


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"movie_id": "1", "rating": "9"}, 422),
        ({"movie_id": "1", "rating": "nan"}, 422),
        ({"movie_id": "1", "rating": "many"}, 422),
        ({"movie_id": "99", "rating": "4"}, 404),
        ({"movie_id": "99", "rating": ""}, 404),
    ],
    ids=["too high", "nan", "word", "unknown movie", "unknown movie taken back"],
)
def test_ratings_that_cannot_be_are_refused(
    application: FixedApplication, user_42: TestClient, form: dict[str, str], status: int
) -> None:
    assert user_42.post("/ratings", data=form).status_code == status
    assert application.ratings["42"] == {"8": 5.0, "2": 4.0}


def test_nobody_cannot_rate(client: TestClient) -> None:
    answer = client.post("/ratings", data={"movie_id": "1", "rating": "4"})
    assert answer.status_code == 422
    assert "Choose a user before you rate." in answer.text


def test_taking_back_what_was_never_given_is_no_error(user_42: TestClient) -> None:
    assert user_42.post("/ratings", data={"movie_id": "1", "rating": "", "next": "/"}).status_code == 200


def test_a_newcomer_is_made_by_the_first_pick_and_changed_by_the_next(
    application: FixedApplication, client: TestClient
) -> None:
    about = {"gender": "F", "age": "30", "occupation": "artist"}
    answer = client.post("/newcomer", data={"liked": ["1"], **about})
    user_id = answer.url.params["user"]
    assert application.ratings[user_id] == {"1": 5.0}
    assert application.about[user_id] == ("F", 30, "artist")
    assert client.cookies["user"] == user_id
    assert not elements(answer.text, data_movie="1")

    answer = client.post("/newcomer", data={"liked": ["2", "8", "2"], "user": user_id})
    assert answer.url.params["user"] == user_id
    assert application.ratings[user_id] == {"2": 5.0, "8": 5.0}
    picked = {
        one.attributes["value"]
        for one in elements(answer.text, "input", name="liked")
        if "checked" in one.attributes
    }
    assert picked == {"2", "8"}


def test_picks_stay_in_sight_while_searching_for_more(
    application: FixedApplication, client: TestClient
) -> None:
    page = client.get("/newcomer?user=42&q=toy").text
    assert [one.attributes["value"] for one in elements(page, "input", name="liked")] == ["2", "8", "1"]
    answer = client.post("/newcomer", data={"liked": ["2", "8", "1"], "user": "42", "q": "toy"})
    assert answer.url.params["q"] == "toy"


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({}, 422),
        ({"liked": "99"}, 422),
        ({"liked": "1", "age": "200"}, 422),
        ({"liked": "1", "age": "old"}, 422),
        ({"liked": "1", "age": "²"}, 422),
        ({"liked": "1", "user": "99"}, 404),
    ],
    ids=["nothing liked", "unknown movie", "too old", "word", "superscript", "unknown user"],
)
def test_newcomers_that_cannot_be_are_refused(
    application: FixedApplication, client: TestClient, form: dict[str, str], status: int
) -> None:
    assert client.post("/newcomer", data=form).status_code == status
    assert set(application.ratings) == {"42", "7"}
