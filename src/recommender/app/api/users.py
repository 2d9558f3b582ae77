"""Routes of users: facts, lists, ratings, newcomers."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response

from recommender.app.answers import Recommendations, UserFacts
from recommender.app.api.bodies import NewcomerBody, NewUser, RatingBody, StoredRating
from recommender.app.api.json_answer import json_answer
from recommender.app.api.parameters import MovieId, Number, UserId, Year
from recommender.app.api.request_id import request_id_of
from recommender.app.application import Application

# Half of a list is Python, of which one thread runs at a time: further lists wait in a queue, where waiting
# costs nothing, and not for each other's turns. Those that wait too long are made without what takes time.
LISTS_AT_ONCE = 4


def user_routes(application: Application) -> APIRouter:
    """What concerns one user."""
    router = APIRouter(tags=["users"])

    @router.get("/users", response_model=list[str])
    def users(n: Number = 20) -> Response:
        """The ids of some users of the data, to choose from."""
        return json_answer(application.users(n))

    @router.get("/users/{user_id}", response_model=UserFacts)
    def user(user_id: UserId) -> Response:
        """A user: statistics, favourite genres and every rating, newest first."""
        return json_answer(application.user(user_id))

    @router.post("/users", response_model=NewUser, status_code=201)
    def newcomer(request: Request, body: NewcomerBody, n: Number = 10) -> Response:
        """Make a user who has given each liked movie the highest rating; answers with a first list."""
        user_id, first = application.newcomer(
            body.liked, body.gender, body.age, body.occupation, n, request_id_of(request)
        )
        return json_answer(NewUser(user_id=user_id, recommendations=first), 201)

    @router.post("/users/{user_id}/ratings", response_model=StoredRating, status_code=201)
    def rate(user_id: UserId, body: RatingBody) -> Response:
        """Store a rating, in the place of an older one of the same movie. What is answered is durable."""
        second = application.rate(user_id, body.movie_id, body.rating, body.timestamp)
        stored = StoredRating(user_id=user_id, movie_id=body.movie_id, rating=body.rating, timestamp=second)
        return json_answer(stored, 201)

    @router.delete("/users/{user_id}/ratings/{movie_id}", status_code=204, response_model=None)
    def unrate(user_id: UserId, movie_id: MovieId) -> Response:
        """Take a rating back."""
        application.unrate(user_id, movie_id)
        return Response(status_code=204)

    add_lists(router, application)
    return router


def add_lists(router: APIRouter, application: Application) -> None:
    """The route that most requests are for.

    It has threads of its own: those of other routes may all be waiting for a store that hangs, which lists
    do not wait for.
    """

    threads = CapacityLimiter(LISTS_AT_ONCE)

    @router.get("/users/{user_id}/recommendations", response_model=Recommendations)
    async def recommendations(
        request: Request,
        user_id: UserId,
        n: Number = 10,
        model: Annotated[
            str | None, Query(max_length=100, description="A variant, past all experiments.")
        ] = None,
        genre: Annotated[str | None, Query(max_length=100, description="Only movies of this genre.")] = None,
        year_from: Year = None,
        year_to: Year = None,
        diversity: Annotated[
            float | None, Query(ge=0, le=1, allow_inf_nan=False, description="From 0, the order alone, to 1.")
        ] = None,
        explain: Annotated[bool, Query(description='With "because you liked".')] = False,
    ) -> Response:
        """A list for a user, best first, without movies that the user has rated."""
        filters = (genre, year_from, year_to)
        make = partial(application.recommend, user_id, n, model, *filters, diversity, explain)
        began = time.perf_counter()  # not when a thread is free
        return json_answer(await run_sync(make, request_id_of(request), began, limiter=threads))
