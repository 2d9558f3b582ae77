"""Training rows of the retrieval model without order: some of a user's movies are asked for."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from recommender.data.encode import Arrays
from recommender.models.rated_sequence import RatedSequence, oldest_first
from recommender.training.ordered_ratings import OrderedRatings

VISITS = 10  # rows of each user in an epoch, each with another choice
SHARE = 0.3  # of a user's movies that are left out

Batch = dict[str, tf.Tensor]


class LeftOutMovies:
    """Makes batches for `RetrievalModel.compute_loss` out of rows `arrays`, by `transform`.

    In each row every movie of a user is left out with probability `SHARE`, chosen by the numbers of `draw`,
    the row and the place. The question is which those are; the newest `length` of the others are shown.
    """

    def __init__(self, ratings: OrderedRatings, users: Arrays, length: int, num_movies: int) -> None:
        counts = np.diff(ratings.starts)
        self.length = length
        self.num_movies = num_movies
        self.arrays = {"user": np.repeat(np.flatnonzero(counts > 1), VISITS)}
        self.arrays["row"] = np.arange(len(self.arrays["user"]))
        self._longest = int(counts.max())
        with tf.device("CPU"):  # batches are made there
            self._users = {name: tf.constant(values) for name, values in users.items()}
            self._starts = tf.constant(ratings.starts)
            self._ratings = RatedSequence(*map(tf.constant, (ratings.movie, ratings.rating, ratings.age)))
            self._seed = tf.Variable([0, 0], dtype=tf.int64, trainable=False)

    def draw(self, seed: int, epoch: int) -> None:
        """Choose what is left out; the same numbers choose the same."""
        self._seed.assign([seed, epoch])

    def transform(self, rows: Batch) -> Batch:
        """Rows of `arrays` -> the same columns as `UserStretches.transform`, with one position a row."""
        begin, end = (tf.gather(self._starts, rows["user"] + more) for more in (0, 1))
        place = end[:, tf.newaxis] - 1 - tf.range(self._longest, dtype=tf.int64)  # newest first
        inside = place >= begin[:, tf.newaxis]
        place = tf.where(inside, place, 0)
        left_out = self._chance(rows["row"]) < SHARE
        movies = tf.where(inside, tf.gather(self._ratings.movies, place), 0)
        shown = {"history_movies": tf.where(left_out, 0, movies)}
        shown |= {
            f"history_{name}": tf.gather(getattr(self._ratings, name), place) for name in ("ratings", "ages")
        }
        sequence = oldest_first(shown, self.length)
        return {
            **{name: tf.gather(column, rows["user"]) for name, column in self._users.items()},
            "user": rows["user"],
            **sequence._asdict(),
            "positions": tf.cast(sequence.lengths()[:, tf.newaxis], tf.int64),
            "targets": tf.sort(tf.where(left_out, movies, 0), direction="DESCENDING")[:, tf.newaxis],
            "ranks": self._ranks(shown["history_movies"]),
        }

    def _chance(self, row: tf.Tensor) -> tf.Tensor:
        """A number from 0 to 1 for each row and place, `(batch, longest)`."""

        def of_row(one: tf.Tensor) -> tf.Tensor:
            seed = tf.stack([self._seed[0] * 1_000_003 + self._seed[1], one])
            return tf.random.stateless_uniform([self._longest], seed)

        return tf.map_fn(of_row, row, fn_output_signature=tf.float32)

    def _ranks(self, shown: tf.Tensor) -> tf.Tensor:
        """0 for the movies that are shown, or would be if `length` were greater; never for all others."""
        rows = tf.repeat(tf.range(tf.shape(shown)[0]), self._longest)
        cells = tf.stack([rows, tf.reshape(shown, [-1])], axis=1)
        never = tf.fill([tf.shape(shown)[0], self.num_movies + 1], tf.int32.max)
        return tf.tensor_scatter_nd_update(never, cells, tf.zeros(tf.shape(cells)[:1], tf.int32))
