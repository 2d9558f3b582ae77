"""Debian's Chromium, driven by Playwright, before a real server and before one of fixed answers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fixed_server import FixedServer
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from recommender_app import recommender_app
from watched import Watched

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30_000  # milliseconds, on a busy machine


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A running browser."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium on PATH to test the pages with: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(chromium: Browser, published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`recommender app` on the small model, one for all tests: each is a user of its own."""
    with recommender_app(tmp_path_factory.mktemp("app"), published) as address:
        yield address


@pytest.fixture
def fixed_server(chromium: Browser) -> Iterator[FixedServer]:
    server = FixedServer()
    yield server
    server.stop()


Open = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Open]:
    """`open_page(address, path, user=None, width=1200, forgive="", **options)`: a fresh visitor's page.

    At the end no page may have written an error to the console, but for those with `forgive` in them, or
    asked another host for anything.
    """
    opened: list[tuple[BrowserContext, Watched]] = []

    def open_page(
        address: str, path: str, user: str | None = None, width: int = 1200, forgive: str = "", **options: Any
    ) -> Page:
        context = chromium.new_context(
            base_url=address, viewport={"width": width, "height": 900}, reduced_motion="reduce", **options
        )
        context.set_default_timeout(PATIENCE)
        opened.append((context, Watched(context, address, forgive)))
        if user is not None:
            context.add_cookies([{"name": "user", "value": user, "url": address}])
        page = context.new_page()
        page.goto(path)
        return page

    yield open_page
    for context, watched in opened:
        context.close()
        assert watched.wrong == []
