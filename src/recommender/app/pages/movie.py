"""A movie's page."""

from __future__ import annotations

from typing import Literal, get_args

from fastapi import APIRouter
from starlette.responses import Response

from recommender.app.answers import SimilarMovie
from recommender.app.features import StoreUnavailableError
from recommender.app.models import ModelUnavailableError
from recommender.app.pages.page import CurrentPage, Page
from recommender.app.pages.ratings_of import rating_of

SimilarBy = Literal["embedding", "item2vec", "graph", "genre"]
SIMILAR = 12

movie = APIRouter()


@movie.get("/movies/{movie_id:path}")
def show_movie(page: CurrentPage, movie_id: str, similar: SimilarBy = "embedding") -> Response:
    """Facts, movies like it by one of four models, and what it is, or would be, to the chosen user."""
    application = page.application
    facts = application.movie(movie_id)
    given = rating_of(page.user, facts.movie_id) if page.user else None
    expected = application.predict(page.user.user_id, facts.movie_id) if page.user and given is None else None
    return page.render(
        "movie.html",
        movie=facts,
        given=given,
        expected=expected,
        similar=_similar(page, facts.movie_id, similar),
        similar_by=similar,
        models=get_args(SimilarBy),
        cut_off=bool(facts.degraded),
    )


def _similar(page: Page, movie_id: str, by: SimilarBy) -> list[SimilarMovie] | None:
    """Movies like one; None where model or store, whichever knows them, do not answer."""
    try:
        return page.application.similar(movie_id, SIMILAR, by)
    except (ModelUnavailableError, StoreUnavailableError):
        return None
