"""What the ranking model says of lists of candidates, as a snapshot knows users and movies."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.data.features import BY_NAME
from recommender.data.prepared import Snapshot
from recommender.models.context import context_at
from recommender.models.final_order import preference_of
from recommender.models.ranking import RankingModel
from recommender.training.ranking import PREDICT_ROWS


class ListPreferences:
    """Asks the ranking model about every candidate, at the moment of the snapshot."""

    def __init__(self, model: RankingModel, snapshot: Snapshot) -> None:
        columns = {column for name in model.embedding.features for column in BY_NAME[name].columns}
        self._model = model
        self._users = {name: values for name, values in snapshot.users.items() if name in columns}
        self._movies = {name: values for name, values in snapshot.movies.items() if name in columns}
        context = context_at(tf.constant([snapshot.timestamp], tf.int64))
        self._context = {name: value.numpy() for name, value in context.items() if name in columns}

    def __call__(self, users: NDArray[np.int32], movies: NDArray[np.int32]) -> NDArray[np.float32]:
        """Preferences `(n, c)` of the users `(n,)` for the movies `(n, c)`, all codes.

        What stands at a place without a movie says nothing.
        """
        user, movie = np.repeat(users, movies.shape[1]), np.maximum(movies, 0).ravel()
        starts = range(0, len(user), PREDICT_ROWS)  # few at once: the history of a row takes kilobytes
        parts = [
            self._preferences(user[at : at + PREDICT_ROWS], movie[at : at + PREDICT_ROWS]) for at in starts
        ]
        return np.concatenate([np.zeros(0, np.float32), *parts]).reshape(movies.shape)

    def _preferences(self, user: NDArray[np.int32], movie: NDArray[np.int32]) -> NDArray[np.float32]:
        """`(n,)` for pairs of codes."""
        rows = {name: values[user] for name, values in self._users.items()}
        rows |= {name: values[movie] for name, values in self._movies.items()}
        rows |= {name: np.repeat(value, len(user)) for name, value in self._context.items()}
        predicted = self._model.predictions({name: tf.constant(value) for name, value in rows.items()})
        return preference_of(predicted, self._model.objective).numpy()
