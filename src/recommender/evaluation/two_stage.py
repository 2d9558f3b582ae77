"""Two stages as one ranking of the catalogue: the list that retrieval gives, in its final order."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from recommender.data.interactions import Interactions
from recommender.evaluation.ranking import Scorer
from recommender.evaluation.top_k import top_k_movies
from recommender.metrics.beyond_accuracy import NO_MOVIE

Codes = NDArray[np.int32]
Scores = NDArray[np.float32]


class Candidates(NamedTuple):
    """What retrieval found for n users: `movies` codes `(n, c)`, best first, and their scores `retrieved`.

    Where a user has fewer candidates, places at the end are `NO_MOVIE`. `catalogue` `(n, num_movies)` are the
    scores of all movies, -inf for those that the user knows.
    """

    movies: Codes
    retrieved: Scores
    catalogue: Scores


class CandidateLists:
    """The `length` best movies of a retrieval `Scorer` for every user, without the user's `known` ones."""

    def __init__(self, retrieval: Scorer, known: Interactions, length: int) -> None:
        self._retrieval = retrieval
        self._known = known.matrix()
        self._length = length

    def __call__(self, users: Codes) -> Candidates:
        """The candidates of users `(n,)`, at most `length` or the catalogue for each."""
        scores = np.array(self._retrieval.scores(users), np.float32)
        scores[self._known[users].nonzero()] = -np.inf
        movies = top_k_movies(scores, min(self._length, scores.shape[1]))
        return Candidates(movies, np.take_along_axis(scores, np.maximum(movies, 0), axis=1), scores)


class Order(Protocol):
    """Whatever scores candidates."""

    def __call__(self, users: Codes, movies: Codes, retrieved: Scores) -> Scores:
        """Scores `(n, c)`, higher is better, of the `Candidates` of users `(n,)`.

        What is said of places without a movie is not read.
        """


class TwoStageScorer:
    """Scores the catalogue so that its ranking is each final list, then the other movies as retrieved."""

    def __init__(self, lists: CandidateLists, order: Order) -> None:
        self._lists = lists
        self._order = order

    def scores(self, users: Codes) -> Scores:
        """`(len(users), num_movies)`: the order's scores; below them whole numbers that fall with the place
        in retrieval; -inf for known movies."""
        movies, retrieved, catalogue = self._lists(users)
        final = self._order(users, movies, retrieved)
        there = movies != NO_MOVIE
        lowest = np.min(final, axis=1, initial=0.0, where=there, keepdims=True)
        scores = np.where(catalogue > -np.inf, np.floor(lowest) - 1 - _places(catalogue), -np.inf)
        row, place = np.nonzero(there)
        scores[row, movies[row, place]] = final[row, place]
        return scores.astype(np.float32)


def _places(scores: Scores) -> NDArray[np.int64]:
    """The place of each score in its row, the best is 0; of equal scores the first column is first."""
    order = np.argsort(-scores, axis=1, kind="stable")
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.broadcast_to(np.arange(scores.shape[1]), scores.shape), axis=1)
    return places
