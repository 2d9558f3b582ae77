"""Choosing for whom the pages are."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from recommender.app.pages.forms import SentForm
from recommender.app.pages.page import CurrentPage
from recommender.app.pages.visitor import choose, forget

SAMPLE = 24

choosing = APIRouter()


@choosing.get("/visitor")
def show_choice(page: CurrentPage) -> Response:
    """Some users to pick from, and a field for any other."""
    return page.render("visitor.html", users=page.application.users(SAMPLE))


@choosing.post("/visitor")
def take_choice(page: CurrentPage, form: SentForm) -> Response:
    """Be the user `user_id`, or nobody where it is empty; then go on to `next`. An unknown user is a 404."""
    user_id = form.one("user_id")
    response = RedirectResponse(form.local_path("next"), status_code=303)
    if user_id:
        choose(response, page.application.user(user_id).user_id)
    else:
        forget(response)
    return response
