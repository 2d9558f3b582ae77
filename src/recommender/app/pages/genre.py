"""All genres, and the movies of one."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from recommender.app.pages.page import CurrentPage

Sort = Literal["rating", "popularity", "year"]
MORE = 36  # movies that one more click shows
MOST = 720

genre = APIRouter()


@genre.get("/genres")
def show_genres(page: CurrentPage) -> Response:
    """Every genre and how many movies have it."""
    return page.render("genres.html", genres=page.application.genres())


@genre.get("/genres/{name:path}")
def show_genre(
    page: CurrentPage, name: str, sort: Sort = "rating", n: Annotated[int, Query(ge=1, le=MOST)] = MORE
) -> Response:
    """A genre's first `n` movies; one more is asked for, to know whether there are more."""
    movies = page.application.genre_movies(name, n + 1, sort)
    more = min(n + MORE, MOST) if len(movies) > n and n < MOST else None
    return page.render("genre.html", genre=name, movies=movies[:n], sort=sort, more=more, shown=n)
