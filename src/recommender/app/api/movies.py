"""Routes of movies, genres and search."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from recommender.app.answers import GenreFacts, ListedMovie, MovieFacts, SimilarMovie
from recommender.app.api.json_answer import json_answer
from recommender.app.api.parameters import LONGEST_ID, MovieId, Number
from recommender.app.application import Application
from recommender.app.application.facts import SimilarityModel
from recommender.app.application.shelves import Sort


def movie_routes(application: Application) -> APIRouter:
    """What is the same for everybody."""
    router = APIRouter(tags=["movies"])

    @router.get("/movies/{movie_id}", response_model=MovieFacts)
    def movie(movie_id: MovieId) -> Response:
        """A movie: title, year, genres, links, how often and how it was rated, who rated it highest."""
        return json_answer(application.movie(movie_id))

    @router.get("/movies/{movie_id}/similar", response_model=list[SimilarMovie])
    def similar(
        movie_id: MovieId,
        n: Number = 10,
        model: Annotated[SimilarityModel, Query(description="What says how like movies are.")] = "embedding",
    ) -> Response:
        """Movies like one, the most similar first. `genre` is 0.7 genre overlap + 0.3 rating."""
        return json_answer(application.similar(movie_id, n, model))

    @router.get("/genres", response_model=list[GenreFacts])
    def genres() -> Response:
        """All genres by name, with how many movies have them."""
        return json_answer(application.genres())

    @router.get("/genres/{genre}/movies", response_model=list[ListedMovie])
    def genre_movies(
        genre: Annotated[str, Path(max_length=LONGEST_ID)], n: Number = 20, sort: Sort = "rating"
    ) -> Response:
        """The first movies of a genre, by shrunk average, year (newest first) or number of ratings."""
        return json_answer(application.genre_movies(genre, n, sort))

    @router.get("/search", response_model=list[ListedMovie])
    def search(
        q: Annotated[str, Query(min_length=1, max_length=200, description="A title, or some of it.")],
        n: Number = 10,
    ) -> Response:
        """Movies by title: the whole name, its beginning, its words; then with typing errors."""
        return json_answer(application.search(q, n))

    return router
