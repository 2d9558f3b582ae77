"""What a user has rated, in order: the input of every history encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

RATING_STEPS = 10  # ratings are told apart by tenths of their scale
GAP_LIMITS = (1.0, 60.0, 600.0, 3_600.0, 86_400.0, 604_800.0)  # seconds: same second, a minute, ..., a week


class RatedSequence(NamedTuple):
    """Rated movies, oldest first, all padding at the end."""

    movies: tf.Tensor  # int (batch, length), index = code + 1, 0 = padding
    ratings: tf.Tensor  # (batch, length), stars
    ages: tf.Tensor  # (batch, length), seconds from the rating to one moment that is the same for all

    def lengths(self) -> tf.Tensor:
        """How many ratings each row has: int32 `(batch,)`."""
        return tf.math.count_nonzero(self.movies, axis=1, dtype=tf.int32)


def oldest_first(columns: Mapping[str, tf.Tensor], length: int) -> RatedSequence:
    """The newest `length` ratings of the columns `history_*`, which are newest first and may have gaps."""
    movies = columns["history_movies"][:, :length]
    place = tf.range(tf.shape(movies)[1])
    order = tf.argsort(tf.where(movies > 0, -place, 1), axis=1, stable=True)
    parts = (columns[f"history_{name}"][:, :length] for name in RatedSequence._fields)
    return RatedSequence(*(tf.gather(part, order, batch_dims=1) for part in parts))


def rating_and_gap(sequence: RatedSequence, scale: tuple[float, float]) -> tf.Tensor:
    """Which step of the scale each rating is, and which class the time since the rating before it: one-hot.

    `(batch, length, RATING_STEPS + 1 + len(GAP_LIMITS) + 2)`. The first rating of a sequence has a class of
    its own.
    """
    low, high = scale
    step = tf.cast(tf.round((sequence.ratings - low) / (high - low) * RATING_STEPS), tf.int32)
    gap = sequence.ages[:, :-1] - sequence.ages[:, 1:]
    limits = tf.constant(GAP_LIMITS)
    bucket = tf.reduce_sum(tf.cast(gap[..., tf.newaxis] >= limits, tf.int32), axis=-1) + 1
    bucket = tf.pad(bucket, [[0, 0], [1, 0]])[:, : tf.shape(step)[1]]  # also where nothing is rated
    return tf.concat([tf.one_hot(step, RATING_STEPS + 1), tf.one_hot(bucket, len(GAP_LIMITS) + 2)], axis=-1)
