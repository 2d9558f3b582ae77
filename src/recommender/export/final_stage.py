"""The second stage in the graph: predictions of candidates, and the scores that order them."""

from __future__ import annotations

import tensorflow as tf

from recommender.export.ranker import Ranker
from recommender.export.rows import Columns
from recommender.export.top_movies import LOWEST
from recommender.models.final_order import FinalOrder, preference_of


class FinalStage(tf.Module):
    """Puts candidates of one user in order, whichever way they were found."""

    def __init__(self, ranker: Ranker, order: FinalOrder) -> None:
        super().__init__()
        self._ranker = ranker
        self._order = order

    def __call__(
        self, user: Columns, movies: Columns, retrieved: tf.Tensor, timestamp: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Scores, higher is better, and the ranking model's predictions of n candidates, both `(n,)`.

        `user` and `timestamp` are `(1, ...)`, `movies` `(n, ...)`; `retrieved` `(n,)` are the scores of
        retrieval. A movie that the model does not know, index 0, has the score `LOWEST`.
        """
        predicted = self._ranker.of_candidates(user, movies, timestamp)
        preference = preference_of(predicted, self._ranker.objective)
        scores = self._order.scores(retrieved, preference, user["user_count"])
        return tf.where(movies["movie_id"] > 0, scores, LOWEST), predicted
