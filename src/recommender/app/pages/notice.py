"""The line after a rating: what was given, and a way back. It travels in the address and needs no script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import URL
from starlette.requests import Request

from recommender.app.answers import MovieFacts, UserFacts
from recommender.app.pages.ratings_of import rating_of

if TYPE_CHECKING:
    from recommender.app.application import Application

MOVIE, BEFORE = "rated", "before"


@dataclass(frozen=True)
class Notice:
    """A movie that was just rated: what it has now and what it had `before`; None is no rating."""

    movie: MovieFacts
    rating: float | None
    before: float | None


def with_notice(path: str, movie_id: str, before: float | None) -> str:
    """An address of this site that says what was rated, and what the rating was before."""
    url = URL(without_notice(URL(path)))
    return str(url.include_query_params(**{MOVIE: movie_id, BEFORE: "" if before is None else f"{before:g}"}))


def without_notice(url: URL) -> str:
    """The path and query of an address, less what `with_notice` has added."""
    kept = url.remove_query_params([MOVIE, BEFORE])
    return kept.path + (f"?{kept.query}" if kept.query else "")


def notice_of(request: Request, application: Application, user: UserFacts) -> Notice | None:
    """The notice that a page's address asks for."""
    movie_id = request.query_params.get(MOVIE)
    if not movie_id:
        return None
    before = request.query_params.get(BEFORE, "")
    return Notice(application.movie(movie_id), rating_of(user, movie_id), _number(before))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
