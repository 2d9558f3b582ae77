"""The ranking model in the graph: scores of pairs, and of many candidates of one user."""

from __future__ import annotations

import tensorflow as tf

from recommender.config import RankingSettings
from recommender.data.features import BY_NAME, select
from recommender.export.rows import Columns
from recommender.models.context import context_at
from recommender.models.ranking import RankingModel
from recommender.models.traced import traced_once


class Ranker(tf.Module):
    """`objective` names what `prediction` gives: `rating`, within the scale, or the probabilities `like` and
    `implicit`."""

    def __init__(self, model: RankingModel, settings: RankingSettings) -> None:
        super().__init__()
        features = select(settings.features, "ranking.features")
        self._columns = [column for feature in features for column in feature.columns]
        self._shared = BY_NAME["history"].columns if model.head.shares_history else ()
        self.objective = model.objective
        rating = model.objective == "rating"
        self._prediction = traced_once(model.predict_rating if rating else model.predict_probability)
        self._candidates = traced_once(model.predict_rating if rating else model.predict_probability)
        self._variables = model.variables

    def prediction(self, users: Columns, movies: Columns, timestamp: tf.Tensor) -> tf.Tensor:
        """Predictions `(n,)` for pairs at the seconds `timestamp` `(n,)`; encoded columns are `(n, ...)`."""
        return self._prediction(self._join(users, movies, timestamp))

    def of_candidates(self, user: Columns, movies: Columns, timestamp: tf.Tensor) -> tf.Tensor:
        """Predictions `(n,)` of one user's candidates: `user` and `timestamp` are `(1, ...)`, `movies`
        `(n, ...)`."""
        n = tf.shape(movies["movie_id"])[0]
        length = _places(user["history_movies"][0]) if self._shared else 0
        users = {
            name: tf.ensure_shape(column, [1, None])[:, :length]
            if name in self._shared
            else tf.repeat(column, n, axis=0)
            for name, column in user.items()
            if name in self._columns
        }
        return self._candidates(self._join(users, movies, tf.repeat(timestamp, n)))

    def _join(self, users: Columns, movies: Columns, timestamp: tf.Tensor) -> dict[str, tf.Tensor]:
        columns = {**users, **movies, **context_at(timestamp)}
        return {name: columns[name] for name in self._columns}


def _places(movies: tf.Tensor) -> tf.Tensor:
    """How many places of a history `(length,)` there are up to the last movie, 0 = no movie: `()`."""
    return tf.reduce_max(tf.where(movies > 0, tf.range(1, tf.size(movies) + 1), 0))
