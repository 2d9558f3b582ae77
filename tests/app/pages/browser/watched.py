"""What pages must never do."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Response


class Watched:
    """What a page did that it must not: errors on the console, requests to other hosts."""

    def __init__(self, context: BrowserContext, address: str, forgive: str) -> None:
        self.wrong: list[str] = []
        self._forgive = forgive
        self._host = urlsplit(address).netloc
        self._error_pages: set[str] = set()
        context.on("console", self._console)
        context.on("weberror", lambda error: self.wrong.append(str(error.error)))
        context.on("request", lambda request: self._requested(request.url))
        context.on("response", self._answered)

    def _requested(self, url: str) -> None:
        if urlsplit(url).netloc != self._host:
            self.wrong.append(f"request to {url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.request.is_navigation_request():
            self._error_pages.add(response.url)

    def _console(self, message: ConsoleMessage) -> None:
        expected = message.location["url"] in self._error_pages
        expected |= bool(self._forgive) and self._forgive in message.text
        if message.type in ("error", "warning") and not expected:
            self.wrong.append(f"{message.type}: {message.text} ({message.location['url']})")
