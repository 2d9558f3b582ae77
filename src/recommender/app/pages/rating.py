"""Giving a rating and taking it back."""

from __future__ import annotations

import math

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from recommender.app.pages.forms import SentForm, refuse
from recommender.app.pages.notice import with_notice
from recommender.app.pages.page import CurrentPage
from recommender.app.pages.ratings_of import rating_of

rating = APIRouter()


@rating.post("/ratings")
def take_rating(page: CurrentPage, form: SentForm) -> Response:
    """The chosen user rates `movie_id`, or takes the rating back where `rating` is empty; then on to `next`.

    What the rating was before goes along, for the way back.
    """
    if page.unreachable:
        raise page.unreachable
    if page.user is None:
        raise refuse("user", "choose a user before you rate")
    movie_id, given = form.one("movie_id"), form.one("rating")
    before = rating_of(page.user, movie_id)
    if given:
        page.application.rate(page.user.user_id, movie_id, _stars(given))
    elif before is not None:
        page.application.unrate(page.user.user_id, movie_id)
    return RedirectResponse(with_notice(form.local_path("next"), movie_id, before), status_code=303)


def _stars(text: str) -> float:
    try:
        stars = float(text)
    except ValueError:
        stars = math.nan
    if not math.isfinite(stars):
        raise refuse("rating", f"rating must be a number, received {text[:20]!r}")
    return stars
