"""Every page, asked without a browser: what it shows, also where little is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from fixed_application import DEGRADED, MOVIES, SCRIPT, FixedApplication
from html_elements import elements, movies_of

from recommender.app.answers import ExperimentResult, VariantResult
from recommender.app.models import ModelUnavailableError

PATHS = [
    "/",
    "/visitor",
    "/movies/1",
    "/movies/3",
    "/movies/4",
    "/movies/5",
    "/movies/6",
    "/movies/a%2Fb%20c%3F%23",
    "/movies/8?similar=genre",
    "/users/42",
    "/users/7",
    "/genres",
    "/genres/Drama",
    "/search",
    "/search?q=toy",
    "/search?q=nothing-like-it",
    "/suggestions?q=o",
    "/newcomer",
    "/newcomer?user=42&q=toy",
    "/experiments",
]
FromApplication = Callable[[FixedApplication], TestClient]


@pytest.mark.parametrize("path", PATHS)
def test_pages_are_well_formed_and_hold_no_markup_of_the_data(
    client: TestClient, user_42: TestClient, path: str
) -> None:
    for visitor in (client, user_42):
        answer = visitor.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert SCRIPT not in answer.text
        assert not any(one.attributes.get("style") for one in elements(answer.text))
        assert all(one.attributes["src"].startswith("/static/") for one in elements(answer.text, "script"))
        assert not any(name.startswith("on") for one in elements(answer.text) for name in one.attributes)


@pytest.mark.parametrize("path", [path for path in PATHS if "suggestions" not in path])
def test_pages_have_one_heading_their_landmarks_and_unique_ids(user_42: TestClient, path: str) -> None:
    page = user_42.get(path).text
    assert len(elements(page, "h1")) == 1
    assert [len(elements(page, tag)) for tag in ("main", "footer")] == [1, 1]
    assert elements(page, "title")[0].text.endswith(" · Recommender")
    ids = [one.attributes["id"] for one in elements(page) if "id" in one.attributes]
    assert len(set(ids)) == len(ids)
    assert all(one and " " not in one for one in ids)


@pytest.mark.parametrize("path", [path for path in PATHS if "suggestions" not in path])
def test_parts_that_controls_replace_are_on_the_page(user_42: TestClient, path: str) -> None:
    page = user_42.get(path).text
    ids = {one.attributes.get("id") for one in elements(page)}
    for control in elements(page):
        named = (control.attributes.get("data-swap") or "").split()
        assert not named or set(named) & ids, named


def test_a_movie_named_like_a_script_is_text_everywhere(user_42: TestClient) -> None:
    page = user_42.get("/movies/3").text
    assert elements(page, "h1")[0].text == SCRIPT
    assert elements(page, "title")[0].text.startswith(SCRIPT)
    (group, *_) = elements(page, "div", role="group")
    assert group.attributes["aria-label"] == f"Rate {SCRIPT}"
    asked = user_42.get("/search", params={"q": SCRIPT + '"'}).text
    (field,) = elements(asked, "input", id="search-field")
    assert field.attributes["value"] == SCRIPT + '"'
    assert SCRIPT not in asked


def test_ids_with_slashes_and_blanks_are_reached(client: TestClient) -> None:
    home = client.get("/search", params={"q": "slash"}).text
    (link,) = [one for one in elements(home, "a") if "More" in one.text]
    page = client.get(str(link.attributes["href"])).text
    assert elements(page, "h1")[0].text == "Slash & \"Quote\" 'n' More"


def test_a_movie_without_ratings_shows_no_average(client: TestClient) -> None:
    page = client.get("/movies/4").text
    shown = [one.text for one in elements(page, "dt")]
    assert shown == ["Ratings"]
    assert elements(page, "dd")[0].text == "None yet"
    assert "No ratings yet" in client.get("/genres/Drama").text


def test_unknown_years_and_genres_are_left_out(client: TestClient) -> None:
    assert "None" not in elements(client.get("/movies/4").text, "div", class_="movie-facts")[0].text.replace(
        "None yet", ""
    )
    assert not elements(client.get("/movies/5").text, "ul", aria_label="Genres")


def test_only_links_to_web_pages_are_links(client: TestClient) -> None:
    page = client.get("/movies/8").text
    assert "javascript:" not in page
    assert [one.text for one in elements(page, "a", rel="noopener noreferrer external")] == ["IMDb"]


def test_the_expected_rating_is_shown_to_a_chosen_user_only(client: TestClient, user_42: TestClient) -> None:
    def labels(visitor: TestClient, path: str) -> dict[str, str]:
        page = visitor.get(path).text
        return dict(
            zip(
                (one.text for one in elements(page, "dt")),
                (one.text for one in elements(page, "dd")),
                strict=True,
            )
        )

    assert labels(user_42, "/movies/1")["Expected from you"] == "3.9"
    assert labels(user_42, "/movies/8")["You gave"] == "5"
    assert "Expected from you" not in labels(client, "/movies/1") | labels(user_42, "/movies/8")


def test_a_probability_is_not_shown_as_stars(client_of: FromApplication) -> None:
    page = client_of(FixedApplication(objective="like")).get("/").text
    assert elements(page, "span", class_="mark-line expected-mark")[0].text == "Expected to be liked: 83 %"


def test_similar_movies_follow_the_switch(client: TestClient) -> None:
    by_default, by_graph = (client.get(f"/movies/1{query}").text for query in ("", "?similar=graph"))
    shown = [movies_of(page, "Similar movies") for page in (by_default, by_graph)]
    assert shown[0] == shown[1][::-1]
    (current,) = [one for one in elements(by_graph, "a", aria_current="true") if one.attributes.get("id")]
    assert current.text == "graph"
    assert "genre knows no movie like this one" in client.get("/movies/1?similar=genre").text


def test_a_model_that_does_not_answer_costs_the_similar_movies_only(
    application: FixedApplication, client: TestClient
) -> None:
    def similar(*_: object) -> None:
        raise ModelUnavailableError("no version of the model answers")

    application.similar = similar  # type: ignore[assignment, method-assign]
    answer = client.get("/movies/1")
    assert answer.status_code == 200
    assert "The model does not answer right now" in answer.text


def test_home_starts_with_the_users_favourite_genres(client: TestClient, user_42: TestClient) -> None:
    def shelves(page: str) -> list[str]:
        return [one.text for one in elements(page, "h2") if "genre-" in str(one.attributes.get("id"))]

    assert shelves(user_42.get("/").text)[0] == "Crime"
    assert shelves(client.get("/").text)[0] == "Drama"


def test_lists_for_a_user_carry_what_events_refer_to(user_42: TestClient) -> None:
    page = user_42.get("/").text
    (shelf,) = elements(page, "ul", aria_label="For you")
    assert shelf.attributes["data-user"] == "42"
    assert str(shelf.attributes["data-request"]).startswith("request-")
    places = [one.attributes["data-movie"] for one in elements(page) if "data-movie" in one.attributes]
    assert places == [one for one in MOVIES if one not in ("8", "2")]


def test_models_stand_side_by_side(user_42: TestClient) -> None:
    default = [one.text for one in elements(user_42.get("/users/42").text, "h3")]
    assert default == ["two_stage", "popular"]
    page = user_42.get("/users/42?model=rating&model=retrieval&model=rating").text
    assert [one.text for one in elements(page, "h3")] == ["rating", "retrieval"]
    assert elements(page, "span", class_="because")[0].text == "Because you liked Fargo"


def test_stars_are_offered_only_on_the_visitors_own_lists(client: TestClient, user_42: TestClient) -> None:
    assert elements(user_42.get("/users/42").text, "form", class_="stars")
    for visitor, path in ((user_42, "/users/7"), (client, "/users/42")):
        page = visitor.get(path).text
        assert not elements(page, "form", class_="stars")
        assert [one.text for one in elements(page, "button") if one.text.startswith("Be user")]


def test_a_long_history_is_shown_in_full_on_request(
    application: FixedApplication, client: TestClient
) -> None:
    application.ratings["42"] = dict.fromkeys(MOVIES, 3.0)
    from recommender.app.pages import user as view

    view.HISTORY, before = 2, view.HISTORY
    try:
        short, whole = (client.get(path).text for path in ("/users/42", "/users/42?whole=true"))
    finally:
        view.HISTORY = before
    assert "Show all 8" in short
    assert "Show all" not in whole
    assert len(elements(whole, "ul", class_="history")[0].text) > len(
        elements(short, "ul", class_="history")[0].text
    )


def test_the_panel_shows_the_steps_of_the_answer(user_42: TestClient) -> None:
    page = user_42.get("/").text
    (panel,) = elements(page, "details", class_="inside")
    assert panel.text.startswith("Inside this list: two_stage, 4.1 ms")
    for piece in ("rank 214 2.4 ms", "retrieval 150 1.1 ms", "retrieval 6, genres 6", "default"):
        assert piece in panel.text


def test_what_was_left_out_is_said_beside_the_list(client_of: FromApplication) -> None:
    degraded = client_of(FixedApplication(degraded=[DEGRADED]))
    for path in ("/", "/users/42", "/newcomer?user=42"):
        page = degraded.get(path).text
        notes = elements(page, "p", class_="note warning")
        assert notes
        assert DEGRADED in notes[0].text
        assert not elements(page, "span", class_="mark-line expected-mark")


def test_genres_are_sorted_and_grow_on_request(client: TestClient) -> None:
    assert movies_of(client.get("/genres/Drama?sort=year").text, "Drama")[0] == SCRIPT
    assert movies_of(client.get("/genres/Drama?sort=popularity").text, "Drama")[0] == "Fargo"
    page = client.get("/genres/Drama?sort=year&n=1").text
    assert len(movies_of(page, "Drama")) == 1
    (more,) = elements(page, "a", id="show-more")
    assert more.attributes["href"] == "?sort=year&n=37"
    assert len(movies_of(client.get("/genres/Drama?sort=year&n=37").text, "Drama")) == 3


def test_experiments_show_traffic_and_intervals(application: FixedApplication, client: TestClient) -> None:
    assert "No experiment is running" in client.get("/experiments").text
    known = VariantResult(
        variant="two_stage",
        weight=1,
        share=0.5,
        requests=1200,
        impressions=12000,
        clicks=600,
        click_through=0.05,
        interval=(0.046, 0.054),
    )
    new = VariantResult(
        variant="popular",
        weight=1,
        share=0.5,
        requests=0,
        impressions=0,
        clicks=0,
        click_through=None,
        interval=None,
    )
    application.shown = [ExperimentResult(experiment="order", decides="model", variants=[known, new])]
    rows = [one.text for one in elements(client.get("/experiments").text, "tr")]
    assert rows[1] == "two_stage 50.0 % 1,200 12,000 600 5.0 % 4.6 % to 5.4 %"
    assert rows[2] == "popular 50.0 % 0 0 0 not known yet"


def test_an_empty_store_is_no_error(application: FixedApplication, client: TestClient) -> None:
    application.genres = list  # type: ignore[assignment, method-assign]
    application.users = lambda n: []  # type: ignore[assignment, method-assign]
    for path in ("/", "/genres", "/newcomer", "/visitor"):
        assert client.get(path).status_code == 200


def test_static_files_may_be_kept_while_their_content_lasts(client: TestClient) -> None:
    page = client.get("/").text
    for address in [one.attributes["href"] for one in elements(page, "link", rel="stylesheet")]:
        answer = client.get(str(address))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert client.get("/static/layout.css").headers["cache-control"] == "no-cache"
