"""What people do on the pages, in a real browser before a real server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from recommender.app.answers import Movie
from recommender.app.pages.titles import shown_title
from recommender.data.prepared import Prepared

pytestmark = pytest.mark.slow
Open = Callable[..., Page]

expect.set_options(timeout=30_000)


def for_you(page: Page) -> Locator:
    return page.get_by_role("list", name="For you").get_by_role("listitem")


def shown(prepared: Prepared, title: str) -> str:
    """A title of the data as the pages show it."""
    row = prepared.movies.set_index("title").loc[[title]].iloc[0]
    return shown_title(Movie(movie_id="", title=title, year=int(row["release_year"]), genres=[]))


def movies_in(places: Locator) -> list[str | None]:
    return [place.get_attribute("data-movie") for place in places.all()]


def test_choosing_a_user_brings_lists_for_them(open_page: Open, address: str, user_ids: list[str]) -> None:
    page = open_page(address, "/")
    expect(page.get_by_role("heading", name="Who is watching?")).to_be_visible()
    page.get_by_label("User id").fill(user_ids[0])
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="For you", exact=True)).to_be_visible()
    expect(for_you(page)).to_have_count(12)
    expect(page.get_by_role("link", name=f"User {user_ids[0]}")).to_be_visible()
    page.get_by_role("link", name="Change user").click()
    page.get_by_role("list", name="Users to pick from").get_by_role("button").first.click()
    expect(for_you(page)).to_have_count(12)
    page.get_by_role("link", name="Change user").click()
    page.get_by_role("button", name="Be nobody in particular").click()
    expect(page.get_by_role("heading", name="Who is watching?")).to_be_visible()


def test_an_unknown_user_is_said_to_be_unknown(open_page: Open, address: str) -> None:
    page = open_page(address, "/")
    page.get_by_label("User id").fill("nobody-like-that")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    expect(page.get_by_text("nobody-like-that")).to_be_visible()


def test_a_rated_movie_vanishes_the_list_changes_and_undo_brings_it_back(
    open_page: Open, address: str, user_ids: list[str]
) -> None:
    page = open_page(address, "/", user=user_ids[1])
    before = movies_in(for_you(page))
    title = for_you(page).first.locator(".card-title").inner_text()
    for_you(page).first.get_by_role("button", name="5 stars").click()
    expect(page.get_by_role("status")).to_contain_text(f"You gave {title} 5 stars.")
    expect(page.locator(f'[data-movie="{before[0]}"]')).to_have_count(0)
    after = movies_in(for_you(page))
    assert len(after) == 12
    assert after != before
    assert page.url == f"{address}/"

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("is taken back")
    expect(page.locator(f'[data-movie="{before[0]}"]')).to_have_count(1)


def test_a_rating_given_on_a_movies_page_is_still_there_after_a_reload(
    open_page: Open, address: str, user_ids: list[str]
) -> None:
    page = open_page(address, "/", user=user_ids[2])
    for_you(page).first.get_by_role("link").first.click()
    expect(page.get_by_text("Expected from you")).to_be_visible()
    page.get_by_role("button", name="4 stars").click()
    expect(page.get_by_role("button", name="4 stars")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("You gave", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="4 stars")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("Expected from you")).to_be_visible()


def test_a_newcomers_list_follows_every_pick(open_page: Open, address: str) -> None:
    page = open_page(address, "/newcomer")
    expect(page.get_by_text("Your list appears with the first movie")).to_be_visible()
    page.get_by_text("About you, if you like").click()
    page.get_by_label("Age", exact=True).fill("30")
    picks = page.get_by_role("checkbox")
    picks.nth(0).check()
    expect(for_you(page)).to_have_count(12)
    first = movies_in(for_you(page))
    expect(page.get_by_text("You are user new-")).to_contain_text(", 30.")
    picked = [picks.nth(place).get_attribute("value") for place in range(4)]
    for place in (1, 2, 3):
        picks.nth(place).check()
    page.wait_for_function(
        "movies => movies.every(one => !document.querySelector(`[data-movie='${one}']`))", arg=picked
    )
    page.wait_for_load_state("networkidle")
    second = movies_in(for_you(page))
    assert second != first
    picks.nth(3).uncheck()
    page.wait_for_load_state("networkidle")
    page.get_by_role("link", name="Your page").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("User new-")
    expect(page.locator(".history li")).to_have_count(3)


def test_clicks_in_quick_succession_make_one_newcomer(open_page: Open, address: str) -> None:
    page = open_page(address, "/newcomer")
    page.evaluate("document.querySelectorAll('[name=liked]').forEach((box, i) => i < 5 && box.click())")
    page.wait_for_load_state("networkidle")
    expect(page.get_by_text("You are user new-")).to_be_visible()
    page.get_by_role("link", name="Your page").click()
    expect(page.locator(".history li")).to_have_count(5)


def test_more_movies_to_pick_are_found_while_typing(
    open_page: Open, address: str, prepared: Prepared
) -> None:
    title = shown(prepared, prepared.movies["title"].iloc[-1])
    page = open_page(address, "/newcomer")
    page.get_by_role("checkbox").first.check()
    expect(page.get_by_text("You are user new-")).to_be_visible()
    page.get_by_label("Find another movie").press_sequentially(title, delay=5)
    pick = page.get_by_role("checkbox", name=title).last
    pick.check()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(2)


def test_search_suggests_while_typing_and_forgives_a_slip(
    open_page: Open, address: str, prepared: Prepared
) -> None:
    title = shown(prepared, max(prepared.movies["title"], key=len))
    slip = title[:3] + title[4] + title[3] + title[5:]
    page = open_page(address, "/")
    field = page.get_by_role("combobox", name="Search movies by title")
    field.press_sequentially(slip, delay=5)
    expect(page.get_by_role("option").first).to_contain_text(title)
    expect(field).to_have_attribute("aria-expanded", "true")
    field.press("ArrowDown")
    expect(page.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    field.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)
    field.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Titles like")
    page.get_by_role("list", name="Results").get_by_role("link", name=title).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_models_are_switched_side_by_side(open_page: Open, address: str, user_ids: list[str]) -> None:
    page = open_page(address, f"/users/{user_ids[3]}", user=user_ids[3])
    columns = page.locator(".column")
    expect(columns.get_by_role("heading")).to_have_text(["two_stage", "popular"])
    page.get_by_role("checkbox", name="retrieval").check()
    expect(columns.get_by_role("heading")).to_have_text(["two_stage", "retrieval", "popular"])
    page.get_by_role("checkbox", name="two_stage").uncheck()
    expect(columns.get_by_role("heading")).to_have_text(["retrieval", "popular"])
    lists = [movies_in(columns.nth(place).locator("[data-movie]")) for place in (0, 1)]
    assert [len(one) for one in lists] == [10, 10]
    assert lists[0] != lists[1]
    page.reload()
    expect(columns.get_by_role("heading")).to_have_text(["retrieval", "popular"])


def test_lists_explain_themselves_and_show_their_inside(
    open_page: Open, address: str, user_ids: list[str]
) -> None:
    page = open_page(address, f"/users/{user_ids[4]}", user=user_ids[4])
    expect(page.locator(".column").first.get_by_text("Because you liked").first).to_be_visible()
    panel = page.locator(".column").first.locator("details")
    panel.locator("summary").click()
    expect(panel.get_by_role("columnheader", name="Time")).to_be_visible()
    expect(panel.get_by_text("retrieval").first).to_be_visible()


def test_similar_movies_and_genres_switch_in_place(open_page: Open, address: str) -> None:
    page = open_page(address, "/movies/1")
    for model in ("item2vec", "graph", "genre", "embedding"):
        page.get_by_role("link", name=model, exact=True).click()
        expect(page.get_by_role("link", name=model, exact=True)).to_have_attribute("aria-current", "true")
        expect(page.get_by_role("link", name=model, exact=True)).to_be_focused()
        expect(page.get_by_role("list", name="Similar movies").get_by_role("listitem")).not_to_have_count(0)
    page.get_by_role("list", name="Genres").get_by_role("link").first.click()
    page.get_by_role("link", name="newest").click()
    expect(page.get_by_role("link", name="newest")).to_have_attribute("aria-current", "true")
    facts = page.locator(".card-facts").all_inner_texts()
    years = [int(text.split()[0]) for text in facts]
    assert years == sorted(years, reverse=True)
    assert page.url.endswith("sort=year")


@pytest.mark.parametrize(
    ("path", "heading"),
    [("/nowhere", "Not found"), ("/movies/none", "Not found"), ("/genres/Drama?n=many", "That cannot be")],
)
def test_errors_lead_back_home(open_page: Open, address: str, path: str, heading: str) -> None:
    page = open_page(address, path)
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    page.get_by_role("main").get_by_role("link", name="Home").click()
    expect(page.get_by_role("heading", name="Who is watching?")).to_be_visible()


def test_everything_can_be_done_with_the_keyboard(open_page: Open, address: str, user_ids: list[str]) -> None:
    page = open_page(address, "/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")  # to the newcomers' page
    page.keyboard.press("Tab")
    expect(page.get_by_label("User id")).to_be_focused()
    page.keyboard.type(user_ids[5])
    page.keyboard.press("Enter")
    expect(for_you(page)).to_have_count(12)

    movie = for_you(page).first.get_attribute("data-movie")
    for_you(page).first.get_by_role("link").first.focus()
    while page.evaluate("!document.activeElement.closest('[data-stars]')"):
        page.keyboard.press("Tab")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    expect(page.locator(":focus")).to_have_attribute("aria-label", "3 stars")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(f'[data-movie="{movie}"]')).to_have_count(1)


def test_the_pages_work_without_scripts(open_page: Open, address: str, user_ids: list[str]) -> None:
    page = open_page(address, "/", user=user_ids[6], java_script_enabled=False)
    movie = for_you(page).first.get_attribute("data-movie")
    for_you(page).first.get_by_role("button", name="2 stars").click()
    expect(page.get_by_role("status")).to_contain_text("2 stars")
    expect(page.locator(f'[data-movie="{movie}"]')).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(f'[data-movie="{movie}"]')).to_have_count(1)
    page.goto("/newcomer")
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Show my list").click()
    expect(for_you(page)).to_have_count(12)
    page.goto(f"/users/{user_ids[6]}")
    page.get_by_role("checkbox", name="rating").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".column")).to_have_count(3)
