"""The home page: what is there, by genre, and what is for the chosen user."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from recommender.app.answers import GenreFacts, UserFacts
from recommender.app.pages.page import CurrentPage

SHELVES = 6  # genres with a row of their own
ON_SHELF = 12  # movies in a row
FOR_YOU = 12
SAMPLE = 8  # users to pick from

home = APIRouter()


@home.get("/")
def show_home(page: CurrentPage) -> Response:
    """Rows by genre; the chosen user's favourites come first. All of it is there without the store."""
    application = page.application
    genres = application.genres()
    shelves = [
        (genre, application.genre_movies(genre.genre, ON_SHELF, "popularity"))
        for genre in _first(genres, page.user)[:SHELVES]
    ]
    return page.render(
        "home.html",
        genres=genres,
        shelves=shelves,
        users=[] if page.visitor else application.users(SAMPLE),
        for_you=application.recommend(page.visitor, FOR_YOU, explain=True) if page.visitor else None,
    )


def _first(genres: list[GenreFacts], user: UserFacts | None) -> list[GenreFacts]:
    """The user's favourite genres in their order, then the largest."""
    liked = {favourite.genre: favourite.liked for favourite in user.favourite_genres} if user else {}
    return sorted(genres, key=lambda genre: (-liked.get(genre.genre, 0), -genre.movies, genre.genre))
