"""How the pages look and read: WCAG AA by axe, light and dark, phone and desk; data that looks like code."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from fixed_server import FixedServer
from playwright.sync_api import Page, expect

from recommender.app.api import create_api
from recommender.app.api.reference import reference_page
from recommender.app.features import StoreUnavailableError
from recommender.app.monitoring import Metrics
from recommender.app.settings import AppSettings

pytestmark = pytest.mark.slow
Open = Callable[..., Page]
Violations = Callable[[Page], list[str]]

PATHS = (
    "/",
    "/visitor",
    "/movies/8",
    "/users/42",
    "/genres",
    "/genres/Drama?sort=year",
    "/search?q=a",
    "/search?q=zzzzzz",
    "/newcomer?user=42",
    "/experiments",
    "/movies/none",
    "/genres/Drama?n=many",
)
PHONE, DESK = 360, 1200
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]}
CONTEXT = {"exclude": [[".poster > *"]]}  # hundreds of shapes without words
REPORTS = "n => performance.getEntriesByName(location.origin + '/api/v1/events').length >= n"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def violations() -> Violations:
    """`violations(page)`: what axe finds against WCAG 2.2 A and AA and its best practices."""
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()

    def violations(page: Page) -> list[str]:
        found: Any = axe.run(page, CONTEXT, OPTIONS).response
        assert len(found["passes"]) > 10
        return [
            f"{rule['id']}: {node['html'][:120]} {node['failureSummary']}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]

    return violations


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing(
    fixed_server: FixedServer, open_page: Open, violations: Violations, path: str, scheme: str
) -> None:
    width = PHONE if scheme == "dark" else DESK
    page = open_page(fixed_server.address, path, user="42", width=width, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert violations(page) == []


def test_axe_finds_nothing_while_something_is_open(
    fixed_server: FixedServer, open_page: Open, violations: Violations
) -> None:
    page = open_page(fixed_server.address, "/", user="42")
    page.get_by_role("combobox").press_sequentially("fargo")
    expect(page.get_by_role("option")).to_have_count(1)
    page.get_by_role("combobox").press("ArrowDown")
    assert violations(page) == []
    page.get_by_role("combobox").press("Escape")
    page.get_by_role("button", name="3 stars").first.click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert violations(page) == []


def test_axe_would_find_something(fixed_server: FixedServer, open_page: Open, violations: Violations) -> None:
    page = open_page(fixed_server.address, "/")
    page.evaluate("document.querySelector('.lead, .quiet-text').style.color = '#ccc'")
    page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    assert {one.split(":")[0] for one in violations(page)} >= {"color-contrast", "label"}


@pytest.mark.parametrize("path", PATHS)
def test_a_phone_scrolls_down_only(fixed_server: FixedServer, open_page: Open, path: str) -> None:
    page = open_page(fixed_server.address, path, user="42", width=PHONE)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    for width in (PHONE, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_pages_without_the_store_cover_nothing_with_what_they_say_of_it(
    fixed_server: FixedServer, open_page: Open, violations: Violations, monkeypatch: pytest.MonkeyPatch
) -> None:
    def user(user_id: str) -> None:
        raise StoreUnavailableError("down")

    monkeypatch.setattr(fixed_server.application, "user", user)
    page = open_page(fixed_server.address, "/users/42", user=None, width=PHONE)
    assert violations(page) == []
    said, heading = page.locator("#cut-off").bounding_box(), page.locator("h1").bounding_box()
    assert said is not None
    assert heading is not None
    assert said["y"] + said["height"] <= heading["y"]


def test_the_reference_of_the_api_fits_a_phone(fixed_server: FixedServer, open_page: Open) -> None:
    application: Any = SimpleNamespace(settings=AppSettings(), metrics=Metrics())
    reference = reference_page(create_api(application).openapi())
    page = open_page(fixed_server.address, "/experiments", width=PHONE)
    page.route("**/docs", lambda route: route.fulfill(body=reference, content_type="text/html"))
    page.goto("/docs")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE


@pytest.mark.parametrize("path", PATHS)
def test_nothing_moves_while_a_page_is_loading(fixed_server: FixedServer, open_page: Open, path: str) -> None:
    page = open_page(fixed_server.address, path, user="42")
    page.wait_for_load_state("networkidle")
    shift = page.evaluate(
        """() => new Promise(done => {
            let sum = 0;
            new PerformanceObserver(list => list.getEntries().forEach(one => (sum += one.value)))
                .observe({ type: "layout-shift", buffered: true });
            requestAnimationFrame(() => setTimeout(() => done(sum), 100));
        })"""
    )
    assert shift < 0.01


def test_dark_follows_the_system_until_the_button_says_otherwise(
    fixed_server: FixedServer, open_page: Open
) -> None:
    page = open_page(fixed_server.address, "/", color_scheme="dark")
    button = page.get_by_role("button", name="Dark colours")
    expect(button).to_have_attribute("aria-pressed", "true")
    dark = page.evaluate(BACKGROUND)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    light = page.evaluate(BACKGROUND)
    assert light != dark
    page.goto("/genres")
    assert page.evaluate(BACKGROUND) == light
    page.get_by_role("button", name="Dark colours").click()
    assert page.evaluate(BACKGROUND) == dark


def test_focus_can_be_seen_on_every_control(fixed_server: FixedServer, open_page: Open) -> None:
    page = open_page(fixed_server.address, "/", user="42")
    for _ in range(25):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", page.evaluate("document.activeElement.outerHTML")


def test_a_movie_named_like_a_script_stays_text(fixed_server: FixedServer, open_page: Open) -> None:
    page = open_page(fixed_server.address, "/", user="42")
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.get_by_role("combobox").press_sequentially("<script")
    expect(page.get_by_role("option").first).to_contain_text("<script>alert(1)</script>")
    page.goto("/movies/3")
    page.get_by_role("button", name="5 stars").click()
    expect(page.get_by_role("status")).to_contain_text("You gave <script>alert(1)</script> 5 stars.")
    page.get_by_role("link", name="graph").click()
    expect(page.get_by_role("link", name="graph")).to_have_attribute("aria-current", "true")
    assert page.evaluate("document.querySelectorAll('script:not([src])').length") == 0
    assert dialogs == []


def test_what_is_seen_and_clicked_is_reported_once(fixed_server: FixedServer, open_page: Open) -> None:
    page = open_page(fixed_server.address, "/", user="42", width=480)
    page.wait_for_function(REPORTS, arg=1)
    (seen,) = fixed_server.events
    shown = page.get_by_role("list", name="For you").get_by_role("listitem")
    assert (seen.kind, seen.user_id) == ("impression", "42")
    assert seen.request_id == page.get_by_role("list", name="For you").get_attribute("data-request")
    assert 1 <= len(seen.movie_ids) < shown.count(), "what lies beyond the edge was not seen"

    last = shown.last
    last.scroll_into_view_if_needed()
    page.wait_for_function(REPORTS, arg=2)
    told = [movie for event in fixed_server.events for movie in event.movie_ids]
    assert len(told) == len(set(told))
    assert last.get_attribute("data-movie") in told

    last.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_load_state("networkidle")
    clicks = [event for event in fixed_server.events if event.kind == "click"]
    assert [(one.request_id, one.movie_ids) for one in clicks] == [(seen.request_id, [told[-1]])]


def test_an_unreachable_server_is_said_in_words(fixed_server: FixedServer, open_page: Open) -> None:
    page = open_page(fixed_server.address, "/", user="42", forgive="503")
    down = "<p id='problem-sentence'>Down.</p>"
    page.route("**/ratings", lambda route: route.fulfill(status=503, body=down))
    page.get_by_role("button", name="3 stars").first.click()
    expect(page.get_by_role("status")).to_have_text("Down.")
