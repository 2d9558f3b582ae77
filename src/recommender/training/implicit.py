"""Rows for the objective `implicit`: ratings as they are, and beside each some movies that were not rated."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.config import RankingSettings
from recommender.data.features import select
from recommender.data.interactions import SPLITS
from recommender.data.movie_states import MovieStates
from recommender.data.prepared import Prepared
from recommender.models.ranking import INTERACTED
from recommender.training.negatives import draw_unseen

ROW = "row"  # the column that says which rating of its split a row is

Batch = dict[str, tf.Tensor]


class SampledNegatives:
    """Adds `ranking.negatives` rows to each rating of a split: the same user and second, another movie.

    The movie is none that the user has rated in this split or an earlier one; of later ones training must not
    know. Its features, history included, are those it had at that second. `draw` chooses anew.
    """

    def __init__(self, settings: RankingSettings, prepared: Prepared, split: str) -> None:
        self._part = prepared.interactions.part(split)
        self._number = settings.negatives
        self._rated = prepared.interactions.part(*SPLITS[: SPLITS.index(split) + 1]).matrix()
        self._popularity: NDArray[np.int64] | None = None
        if settings.negative_sampling == "popularity":
            training = prepared.interactions.part("train")
            self._popularity = np.bincount(training.movie, minlength=training.num_movies)
        features = select({*settings.features, "movie_id"}, "ranking.features")
        self._states = MovieStates(prepared, features)
        with tf.device("CPU"):  # batches are made there
            self._drawn = tf.Variable(tf.zeros([len(self._part), self._number], tf.int64), trainable=False)
            self._movie = tf.constant(self._states.movie)
            self._by_movie = {name: tf.constant(values) for name, values in self._states.by_movie.items()}
            self._by_state = {name: tf.constant(values) for name, values in self._states.by_state.items()}

    @property
    def rows_per_rating(self) -> int:
        """How many rows `expand` makes of one."""
        return 1 + self._number

    def draw(self, *seed: int) -> None:
        """Choose the movies; the same numbers choose the same."""
        rng = np.random.default_rng(seed)
        movies = draw_unseen(self._rated, self._part.user, self._number, rng, self._popularity)
        self._drawn.assign(self._states.find(movies, self._part.timestamp[:, np.newaxis]))

    def expand(self, batch: Batch) -> Batch:
        """Columns of n ratings with their `row` -> of n * (1 + negatives) rows, ratings first.

        `interacted` says which is which; what belongs to the rating alone is left out.
        """
        states = tf.gather(self._drawn, batch[ROW])  # (n, negatives)
        movies = tf.gather(self._movie, states)
        others = {name: tf.gather(values, movies) for name, values in self._by_movie.items()}
        others |= {name: tf.gather(values, states) for name, values in self._by_state.items()}
        expanded = {
            name: _interleave(column, others[name])
            if name in others
            else tf.repeat(column, self.rows_per_rating, axis=0)
            for name, column in batch.items()
            if name not in (ROW, "rating")
        }
        ones = tf.ones(tf.shape(batch[ROW]))
        return {**expanded, INTERACTED: _interleave(ones, tf.zeros(tf.shape(states)))}

    def labels(self) -> NDArray[np.bool_]:
        """`interacted` of all rows of the split, in order."""
        return np.tile(np.arange(self.rows_per_rating) == 0, len(self._part))


def _interleave(column: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """`(n, ...)` and `(n, k, ...)` -> `(n * (1 + k), ...)`."""
    joined = tf.concat([column[:, tf.newaxis], others], axis=1)
    return tf.reshape(joined, tf.concat([[-1], tf.shape(column)[1:]], axis=0))
