"""Where the pages hang: everywhere but under the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.routing import Match, Mount
from starlette.types import Scope

from recommender.app.pages.site import make_site

if TYPE_CHECKING:
    from recommender.app.application import Application

API = "/api/"


class PagesMount(Mount):
    """Everything that no earlier route has taken and that is not the API's.

    A plain mount at the root would take the API's unknown paths and wrong methods too, and answer in HTML.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """None under `/api/`; there the API words its own errors."""
        if scope["type"] != "http" or scope["path"].startswith(API):
            return Match.NONE, {}
        return super().matches(scope)


def add_pages(api: FastAPI, application: Application) -> None:
    """Hang the pages into the API's server. Call it last: what is added later under `/` is not reached."""
    api.router.routes.append(PagesMount("/", app=make_site(application), name="pages"))
