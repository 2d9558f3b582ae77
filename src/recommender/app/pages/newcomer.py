"""Somebody whom nobody knows yet: a few movies, and the list that follows from them.

The first movie makes a user; each further one is a rating of that user, and one that is no longer picked is a
rating taken back. The form does this without scripts; with them it is sent at every click.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from recommender.app.answers import ListedMovie, Movie, UserFacts
from recommender.app.pages.forms import Form, SentForm, refuse
from recommender.app.pages.page import CurrentPage, Page
from recommender.app.pages.scale import Scale
from recommender.app.pages.visitor import choose

PICKS = 24
PER_GENRE = 6
FOUND = 12
LIST = 12
OLDEST = 120

newcomer = APIRouter()


@newcomer.get("/newcomer")
def show_newcomer(
    page: CurrentPage, user: str = "", q: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Movies to pick from, popular ones or those that `q` finds, and the newcomer's list so far."""
    application = page.application
    facts = application.user(user) if user else None
    return page.render(
        "newcomer.html",
        newcomer=facts,
        picked=[movie.movie_id for movie in facts.history] if facts else [],
        picks=_picks(page, facts, q.strip()),
        asked=q.strip(),
        answer=application.recommend(user, LIST, explain=True) if facts else None,
    )


@newcomer.post("/newcomer")
def take_picks(page: CurrentPage, form: SentForm) -> Response:
    """Make the newcomer, or change their picks to `liked`; the pages are for them from now on."""
    liked = list(dict.fromkeys(form.all("liked")))
    user_id = form.one("user") or _make(page, form, liked)
    if form.one("user"):
        _change(page, user_id, liked)
    query = urlencode({"user": user_id, **({"q": form.one("q")} if form.one("q") else {})})
    response = RedirectResponse(f"/newcomer?{query}", status_code=303)
    choose(response, user_id)
    return response


def _make(page: Page, form: Form, liked: list[str]) -> str:
    if not liked:
        raise refuse("liked", "pick at least one movie that you like")
    user_id, _ = page.application.newcomer(
        liked, form.one("gender") or None, _age(form.one("age")), form.one("occupation") or None
    )
    return user_id


def _age(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= OLDEST):
        raise refuse("age", f"age must be a whole number from 1 to {OLDEST}, received {text[:20]!r}")
    return int(text)


def _change(page: Page, user_id: str, liked: list[str]) -> None:
    highest = Scale(page.application).highest
    before = {movie.movie_id for movie in page.application.user(user_id).history}
    for movie_id in liked:
        if movie_id not in before:
            page.application.rate(user_id, movie_id, highest)
    for movie_id in sorted(before - set(liked)):
        page.application.unrate(user_id, movie_id)


def _picks(page: Page, facts: UserFacts | None, asked: str) -> list[Movie]:
    """What is picked stays in sight; after it what was searched for, or what many know from all genres."""
    found: list[ListedMovie] = page.application.search(asked, FOUND) if asked else _well_known(page)
    picked = {movie.movie_id: movie for movie in (facts.history if facts else [])}
    shown = {movie.movie_id for movie in found}
    return [*(movie for movie in picked.values() if movie.movie_id not in shown), *found]


def _well_known(page: Page) -> list[ListedMovie]:
    """Popular movies, in turns from every genre, so that there is something for every taste."""
    genres = sorted(page.application.genres(), key=lambda genre: -genre.movies)
    shelves = [page.application.genre_movies(genre.genre, PER_GENRE, "popularity") for genre in genres]
    in_turns = [shelf[place] for place in range(PER_GENRE) for shelf in shelves if place < len(shelf)]
    return list({movie.movie_id: movie for movie in in_turns}.values())[:PICKS]
