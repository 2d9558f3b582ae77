"""Training rows of the retrieval model: stretches of users' ratings, every position is a question."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.data.encode import Arrays
from recommender.training.ordered_ratings import OrderedRatings

Batch = dict[str, tf.Tensor]


class UserStretches:
    """Makes batches for `RetrievalModel.compute_loss` out of rows `arrays`, by `transform`.

    A user with up to `length` ratings is one stretch; longer histories are several, each beginning half a
    length after the one before, and a rating is asked for in the first stretch that holds it, so that half a
    length or more is known of it. The question at position i is what came next after the i-th movie of the
    stretch: the `next_movies` movies after it, in any order. `draw` puts ratings of the same second into
    another order.
    """

    def __init__(
        self, ratings: OrderedRatings, users: Arrays, length: int, next_movies: int, num_movies: int
    ) -> None:
        self.ratings = ratings
        self.length = length
        self.next_movies = next_movies
        self.num_movies = num_movies
        self.arrays = stretches(ratings.starts, length)
        with tf.device("CPU"):  # batches are made there
            self._users = {name: tf.constant(values) for name, values in users.items()}
            self._starts = tf.constant(ratings.starts)
            self._movie = tf.Variable(ratings.movie, trainable=False)
            self._rating = tf.Variable(ratings.rating, trainable=False)
            self._age = tf.constant(ratings.age)

    def draw(self, *seed: int) -> None:
        """Choose the order of ratings of the same second; the same numbers choose the same."""
        order = self.ratings.shuffled_ties(*seed)
        self._movie.assign(self.ratings.movie[order])
        self._rating.assign(self.ratings.rating[order])

    def transform(self, rows: Batch) -> Batch:
        """Rows of `arrays` -> users' columns, `movies`, `ratings` and `ages` `(batch, length)`, oldest first;
        `positions` `(batch, length + 1)` with their `targets` `(batch, length + 1, next_movies)`, 0 = none;
        and `ranks` `(batch, num_movies + 1)`: the position from which on the user has rated a movie.
        """
        end = tf.gather(self._starts, rows["user"] + 1)
        place = rows["start"][:, tf.newaxis] + tf.range(self.length, dtype=tf.int64)
        inside = place < end[:, tf.newaxis]
        read = tf.where(inside, place, 0)
        position = tf.range(self.length + 1, dtype=tf.int64)
        return {
            **{name: tf.gather(column, rows["user"]) for name, column in self._users.items()},
            "user": rows["user"],
            "movies": tf.where(inside, tf.gather(self._movie, read), 0),
            "ratings": tf.where(inside, tf.gather(self._rating, read), 0.0),
            "ages": tf.where(inside, tf.gather(self._age, read), 0.0),
            "positions": tf.repeat(position[tf.newaxis], tf.shape(end)[0], axis=0),
            "targets": self._targets(rows, end),
            "ranks": self._ranks(rows, end),
        }

    def _targets(self, rows: Batch, end: tf.Tensor) -> tf.Tensor:
        position = tf.range(self.length + 1, dtype=tf.int64)[:, tf.newaxis]
        ahead = position + tf.range(self.next_movies, dtype=tf.int64)  # (length + 1, next_movies)
        place = rows["start"][:, tf.newaxis, tf.newaxis] + ahead
        asked = (place < end[:, tf.newaxis, tf.newaxis]) & (
            position >= rows["first"][:, tf.newaxis, tf.newaxis]
        )
        return tf.where(asked, tf.gather(self._movie, tf.where(asked, place, 0)), 0)

    def _ranks(self, rows: Batch, end: tf.Tensor) -> tf.Tensor:
        begin = tf.gather(self._starts, rows["user"])
        places = tf.ragged.range(begin, end)
        row = places.value_rowids()
        cells = tf.stack([row, tf.cast(tf.gather(self._movie, places.values), tf.int64)], axis=1)
        rank = tf.maximum(places.values - tf.gather(rows["start"], row) + 1, 0)
        never = tf.fill([tf.shape(end)[0], self.num_movies + 1], tf.int32.max)
        return tf.tensor_scatter_nd_update(never, cells, tf.cast(rank, tf.int32))


def stretches(starts: NDArray[np.int64], length: int) -> Arrays:
    """`user`, the place where each stretch starts, and the `first` position of it that asks."""
    step = max(length // 2, 1)
    counts = np.diff(starts)
    more = np.ceil(np.maximum(counts - 1 - length, 0) / step).astype(np.int64)
    number = np.where(counts > 0, 1 + more, 0)
    user = np.repeat(np.arange(len(counts)), number)
    which = np.arange(len(user)) - np.repeat(np.cumsum(number) - number, number)
    first = np.where(which == 0, 0, length - step + 1)
    return {"user": user, "start": starts[user] + which * step, "first": first.astype(np.int64)}
