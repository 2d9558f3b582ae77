"""What every user has rated, so that it is not recommended again."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from recommender.data.interactions import Interactions


class SeenMovies(tf.Module):
    """The rated movies of every user, one list after the other, so that the size is the number of ratings."""

    def __init__(self, interactions: Interactions) -> None:
        super().__init__()
        movies = interactions.movie[np.argsort(interactions.user, kind="stable")] + 1
        counts = np.bincount(interactions.user + 1, minlength=interactions.num_users + 1)  # user 0: nobody
        ends = np.cumsum(counts, dtype=np.int64)
        self._movies = tf.Variable(movies.astype(np.int32), trainable=False, name="movies")
        self._starts = tf.Variable(ends - counts, trainable=False, name="starts")
        self._ends = tf.Variable(ends, trainable=False, name="ends")

    def cells(self, users: tf.Tensor) -> tf.Tensor:
        """(row, movie index) of everything that the users `(n,)` have rated: int32 `(any, 2)`."""
        places = tf.ragged.range(tf.gather(self._starts, users), tf.gather(self._ends, users))
        rows = tf.cast(places.value_rowids(), tf.int32)
        return tf.stack([rows, tf.gather(self._movies, places.values)], axis=1)


def cells(movies: tf.Tensor) -> tf.Tensor:
    """(row, movie index) of lists of movies `(n, length)`: int32 `(n * length, 2)`."""
    shape = tf.shape(movies)
    return tf.stack([tf.repeat(tf.range(shape[0]), shape[1]), tf.reshape(movies, [-1])], axis=1)
