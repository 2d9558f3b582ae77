"""A peer that is hard to beat: what is rated after what, and a linear model of what goes together.

Scores are the sum of EASE's and of a Markov chain's over the user's last ratings, each divided by its
standard deviation over the user's catalogue. How much the chain counts is chosen on validation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from recommender.data.interactions import Interactions
from recommender.evaluation.ranking import Scorer, evaluate_ranking

WINDOW = 10  # ratings after a movie that count as following it, 1 / distance each
DECAY = 0.9  # of a rating's say with every rating after it
PRIOR = 10.0  # imagined followers, so that a movie rated once decides nothing
WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class MarkovLinear:
    """`recent`: `(num_users, num_movies)`, how much each known rating still says.

    `follows`: `(num_movies, num_movies)`, from a movie to those rated after it; `linear` knows the same.
    """

    linear: Scorer
    recent: csr_array
    follows: csr_array
    weight: float

    def scores(self, users: NDArray[np.int32]) -> NDArray[np.float32]:
        """`(len(users), num_movies)`, higher is better."""
        chain = (self.recent[users] @ self.follows).toarray()
        return _standardised(self.linear.scores(users)) + self.weight * _standardised(chain)


def fit_markov_linear(known: Interactions, linear: Scorer, weight: float) -> MarkovLinear:
    """Count what follows what in the known ratings; `linear` is fitted on the same ones."""
    order = np.lexsort((np.arange(len(known)), known.timestamp, known.user))
    user, movie = known.user[order], known.movie[order]
    place = np.arange(len(user))
    last = np.flatnonzero(np.append(user[1:] != user[:-1], True))
    since = np.repeat(last, np.diff(np.append(-1, last))) - place  # ratings after each one of its user
    shape = (known.num_users, known.num_movies)
    recent = csr_array(coo_array((DECAY**since, (user, movie)), shape))
    return MarkovLinear(linear, recent, _follows(user, movie, known.num_movies), weight)


def choose_weight(known: Interactions, held_out: Interactions, linear: Scorer, k: int) -> float:
    """The weight with the best NDCG on validation."""

    def ndcg(weight: float) -> float:
        model = fit_markov_linear(known, linear, weight)
        return evaluate_ranking(model, known, held_out, [k]).metrics[f"ndcg@{k}"]

    return max(WEIGHTS, key=ndcg)


def _follows(user: NDArray[np.int32], movie: NDArray[np.int32], num_movies: int) -> csr_array:
    counts = csr_array((num_movies, num_movies), dtype=np.float64)
    for lag in range(1, WINDOW + 1):
        same = user[lag:] == user[:-lag]
        pairs = movie[:-lag][same], movie[lag:][same]
        counts += csr_array(coo_array((np.full(same.sum(), 1 / lag), pairs), counts.shape))
    row = np.repeat(np.arange(num_movies), np.diff(counts.indptr))
    total = np.asarray(counts.sum(axis=1)).ravel() + PRIOR
    return csr_array((counts.data / total[row], counts.indices, counts.indptr), counts.shape)


def _standardised(scores: NDArray) -> NDArray[np.float32]:
    spread = scores.std(axis=1, keepdims=True)
    return (scores / np.where(spread > 0, spread, 1)).astype(np.float32)
