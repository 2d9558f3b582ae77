"""How good a ranking of the whole catalogue is: one query per user, movies rated before left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.data.interactions import Interactions
from recommender.errors import DataError
from recommender.evaluation.report import RankingReport, means, means_by_history, standard_errors
from recommender.evaluation.sampled import SampledProtocol
from recommender.evaluation.top_k import top_k_movies
from recommender.metrics.beyond_accuracy import coverage_at_k, diversity_at_k, novelty_at_k
from recommender.metrics.top_k import PER_USER_METRICS, accuracy_at_k

# Scores of one block of users: 16 MiB as float32, and about four times that while the best are picked.
SCORES_PER_BLOCK = 2**22


class Scorer(Protocol):
    """Whatever can score the whole catalogue for users."""

    def scores(self, users: NDArray[np.int32]) -> NDArray[np.float32]:
        """`(len(users), num_movies)`, higher is better, -inf is never recommended; seen movies included."""


def evaluate_ranking(
    scorer: Scorer,
    known: Interactions,
    held_out: Interactions,
    ks: Sequence[int],
    *,
    relevant_from: float | None = None,
    genres: NDArray[np.bool_] | None = None,
    rated: Interactions | None = None,
    seed: int = 0,
) -> RankingReport:
    """Rank the whole catalogue for every user with held-out ratings and compare with what was held out.

    Movies in the user's `known` rows are left out of the ranking. All held-out rows are relevant, or those
    with rating >= `relevant_from`. With `genres`, bool `(num_movies, num_genres)`, diversity is reported;
    with `rated`, all ratings of all splits, the sampled protocol, whose draws depend on `seed`. Raises
    `DataError` if nothing relevant is held out, a pair is held out twice, is known already or is missing in
    `rated`, or scores have the wrong shape or are NaN.
    """
    relevant = held_out if relevant_from is None else held_out.where(held_out.rating >= relevant_from)
    seen, wanted = known.matrix(), relevant.matrix()
    _check(ks, relevant, seen, wanted)
    users = np.unique(relevant.user)
    sampled = None if rated is None else SampledProtocol(rated, wanted, seed)
    top, hits = _rank(scorer, users, seen, wanted, max(ks), sampled)
    relevant_counts = np.diff(wanted.indptr)[users]
    per_user = _per_user(hits, relevant_counts, ks) | _per_list(top, known, ks, genres)
    metrics = means(per_user)
    metrics |= {f"accuracy@{k}": accuracy_at_k(hits, relevant_counts, k) for k in ks}
    metrics |= {f"coverage@{k}": coverage_at_k(top, known.num_movies, k) for k in ks}
    metrics |= {} if sampled is None else sampled.metrics(ks)
    by_history = means_by_history(per_user, np.diff(seen.indptr)[users])
    return RankingReport(users, len(relevant), top, metrics, per_user, standard_errors(per_user), by_history)


def _rank(
    scorer: Scorer,
    users: NDArray[np.int32],
    seen: csr_array,
    wanted: csr_array,
    k: int,
    sampled: SampledProtocol | None,
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """The top k of each user and which of them are wanted, both `(len(users), k)`; one call a block."""
    tops, hits = [], []
    for block in _blocks(users, seen.shape[1]):
        scores = _scores(scorer, block, seen.shape[1])
        if sampled is not None:
            sampled.add(scores, block)
        scores[_entries(seen[block])] = -np.inf
        tops.append(top_k_movies(scores, k))
        hits.append(_hits(tops[-1], wanted[block]))
    return np.concatenate(tops), np.concatenate(hits)


def _blocks(users: NDArray[np.int32], num_movies: int) -> Iterator[NDArray[np.int32]]:
    step = max(1, SCORES_PER_BLOCK // num_movies)
    for start in range(0, len(users), step):
        yield users[start : start + step]


def _scores(scorer: Scorer, users: NDArray[np.int32], num_movies: int) -> NDArray[np.float32]:
    """A block of scores that may be written to, checked."""
    scores = np.array(scorer.scores(users), np.float32)
    if scores.shape != (len(users), num_movies):
        raise DataError(f"scores must have shape {(len(users), num_movies)}, received {scores.shape}")
    broken = np.isnan(scores).any(axis=1)
    if broken.any():
        raise DataError(f"scores must be numbers, received NaN for user code {users[broken.argmax()]}")
    return scores


def _entries(matrix: csr_array) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Rows and columns of the entries of a sparse matrix."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices


def _hits(top: NDArray[np.int32], wanted: csr_array) -> NDArray[np.bool_]:
    """Whether each listed movie is wanted; an empty place, `NO_MOVIE` = -1, finds the extra last column."""
    is_wanted = np.zeros((wanted.shape[0], wanted.shape[1] + 1), np.bool_)
    is_wanted[_entries(wanted)] = True
    return np.take_along_axis(is_wanted, top, axis=1)


def _per_user(
    hits: NDArray[np.bool_], relevant_counts: NDArray[np.integer], ks: Sequence[int]
) -> dict[str, NDArray[np.float64]]:
    return {
        f"{name}@{k}": metric(hits, relevant_counts, k)
        for name, metric in PER_USER_METRICS.items()
        for k in ks
    }


def _per_list(
    top: NDArray[np.int32], known: Interactions, ks: Sequence[int], genres: NDArray[np.bool_] | None
) -> dict[str, NDArray[np.float64]]:
    movie_counts = np.bincount(known.movie, minlength=known.num_movies)
    num_users = len(np.unique(known.user))
    values = {f"novelty@{k}": novelty_at_k(top, movie_counts, num_users, k) for k in ks}
    if genres is not None:
        values |= {f"diversity@{k}": diversity_at_k(top, genres, k) for k in ks}
    return values


def _check(ks: Sequence[int], relevant: Interactions, seen: csr_array, wanted: csr_array) -> None:
    if not ks or min(ks) < 1:
        raise DataError(f"k must be one or more whole numbers from 1, received {list(ks)}")
    if not len(relevant):
        raise DataError("evaluation needs at least one relevant held-out rating, received 0")
    if wanted.nnz < len(relevant):
        raise DataError(f"{len(relevant) - wanted.nnz} (user, movie) pairs are held out more than once")
    both = seen.multiply(wanted).nnz
    if both:
        raise DataError(f"{both} held-out (user, movie) pairs are among the known ratings already")
