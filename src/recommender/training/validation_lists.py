"""The lists that the final order is fitted on: what retrieval finds before the validation ratings."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.config import Settings
from recommender.data.prepared import Prepared
from recommender.evaluation.ranking import SCORES_PER_BLOCK
from recommender.evaluation.two_stage import CandidateLists, Codes, Scores
from recommender.metrics.beyond_accuracy import NO_MOVIE
from recommender.metrics.top_k import ndcg_at_k
from recommender.models.ranking import RankingModel
from recommender.models.retrieval import RetrievalModel
from recommender.training.list_preferences import ListPreferences
from recommender.training.retrieval import RetrievalScorer

FITTED_ON = "validation"


class ValidationLists(NamedTuple):
    """Lists of c candidates of n users, best of retrieval first.

    `features` `(n, c, 2)` are scores of retrieval and preferences; `present` and `relevant` `(n, c)` say
    which places hold a movie, and which of these one that the user rated in the split; `num_relevant` `(n,)`
    counts these ratings, also of movies that retrieval has missed.
    """

    users: Codes
    features: Scores
    present: NDArray[np.bool_]
    relevant: NDArray[np.bool_]
    num_relevant: NDArray[np.integer]

    def where(self, mask: NDArray[np.bool_]) -> ValidationLists:
        """The lists that a mask `(n,)` keeps."""
        return ValidationLists(
            self.users[mask],
            self.features[mask],
            self.present[mask],
            self.relevant[mask],
            self.num_relevant[mask],
        )

    def ndcg(self, scores: NDArray[np.floating], k: int) -> float:
        """The mean NDCG@k of the lists in the order of `scores` `(n, c)`."""
        order = np.argsort(np.where(self.present, -scores, np.inf), axis=1, kind="stable")
        hits = np.take_along_axis(self.relevant, order, axis=1)
        return float(np.mean(ndcg_at_k(hits, self.num_relevant, k)))


def candidate_lists(
    settings: Settings, prepared: Prepared, retrieval: RetrievalModel, split: str
) -> CandidateLists:
    """The lists that there are to order for a version served at the beginning of `split`."""
    scorer = RetrievalScorer(retrieval, prepared.snapshot(split))
    return CandidateLists(scorer, prepared.interactions.before(split), settings.retrieval.candidates)


def validation_lists(
    settings: Settings, prepared: Prepared, retrieval: RetrievalModel, ranking: RankingModel
) -> ValidationLists:
    """The lists of up to `order.users` users who have ratings before and in the validation split."""
    snapshot, held_out = prepared.snapshot(FITTED_ON), prepared.interactions.part(FITTED_ON)
    users = np.unique(held_out.user[snapshot.users["user_count"][held_out.user] > 0])
    drawn = np.random.default_rng(settings.seed).permutation(users)[: settings.order.users]
    lists = candidate_lists(settings, prepared, retrieval, FITTED_ON)
    preferences = ListPreferences(ranking, snapshot)
    wanted = held_out.matrix()
    blocks = max(1, math.ceil(len(drawn) * held_out.num_movies / SCORES_PER_BLOCK))
    parts = [_block(block, lists, preferences, wanted) for block in np.array_split(np.sort(drawn), blocks)]
    return ValidationLists._make(np.concatenate(values) for values in zip(*parts, strict=True))


def _block(
    users: Codes, lists: CandidateLists, preferences: ListPreferences, wanted: csr_array
) -> ValidationLists:
    movies, retrieved, _ = lists(users)
    found = wanted[users].toarray() > 0
    present = movies != NO_MOVIE
    return ValidationLists(
        users,
        np.stack([retrieved, preferences(users, movies)], axis=-1),
        present,
        present & np.take_along_axis(found, np.maximum(movies, 0), axis=1),
        found.sum(axis=1),
    )
