"""Search: a page of results, and suggestions while the visitor types."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from recommender.app.answers import ListedMovie
from recommender.app.pages.page import CurrentPage, Page

RESULTS = 36
SUGGESTIONS = 6

Asked = Annotated[str, Query(max_length=200)]

searching = APIRouter()


@searching.get("/search")
def show_results(page: CurrentPage, q: Asked = "") -> Response:
    """Movies whose title begins with, or is close to, what was typed."""
    return page.render("search.html", asked=q.strip(), movies=_found(page, q, RESULTS))


@searching.get("/suggestions")
def show_suggestions(page: CurrentPage, q: Asked = "") -> Response:
    """The first results as options of a list, to be put below the search field."""
    return page.render("suggestions.html", asked=q.strip(), movies=_found(page, q, SUGGESTIONS))


def _found(page: Page, asked: str, n: int) -> list[ListedMovie]:
    return page.application.search(asked.strip(), n) if asked.strip() else []
