"""What a user rated last speaks for certain next movies: scores from a fixed table of pairs of movies."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import tensorflow as tf
from numpy.typing import NDArray

from recommender.models.rated_sequence import RatedSequence

NEGLIGIBLE = 1e-4  # what a rating weighs below this, is nothing: few rows of the table are read then


class PairTable(NamedTuple):
    """How much a rated movie speaks for another, and how the movies of a history join in that.

    `pairs` goes from the rated movie, `(num_movies + 1, num_movies + 1)`, with zeros in row and column 0. A
    movie that n others followed weighs `decay ** n`, below `NEGLIGIBLE` nothing. What they say together is
    the weighted `mean`, or else the sum; below 0 it counts as 0. The score is its logarithm, after `smallest`
    is added.
    """

    pairs: NDArray
    decay: float
    mean: bool
    smallest: float


class ItemToItemPrior(tf.keras.layers.Layer):
    """Scores `(batch, num_movies + 1)` of a `PairTable` after the last rating of each history.

    Logarithms, as what every expert says: the sum of EASE's weights is near the chance that such a user has
    rated a movie, and taken for a log-probability it spoils the mixture.
    """

    def __init__(self, table: PairTable, **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        self.decay, self.mean, self.smallest = table.decay, table.mean, table.smallest
        self.reach = _reach(table.decay)
        self.pairs = tf.Variable(table.pairs, trainable=False, name="pairs")

    def call(self, sequence: RatedSequence, movies: tf.Tensor | None = None) -> tf.Tensor:
        """`(batch, num_movies + 1)`, or `(batch, c)` of `movies` `(c,)`; all the same if none is rated."""
        weights = _weights(sequence, self.decay, self.reach)
        if sequence.movies.shape[0] == 1:  # one user: a few rows of a table that would be read as a whole
            count = tf.maximum(sequence.lengths()[0], 1)
            first = tf.maximum(count - self.reach, 0)
            scores = weights[:, first:count] @ tf.gather(self.pairs, sequence.movies[0, first:count])
        else:
            scores = _history(sequence, weights, self.pairs.shape[0]) @ self.pairs
        if movies is not None:
            scores = tf.gather(scores, movies, axis=1)
        if self.mean:
            scores = tf.math.divide_no_nan(scores, tf.reduce_sum(weights, axis=1, keepdims=True))
        return tf.math.log(tf.maximum(scores, 0.0) + self.smallest)


def _weights(sequence: RatedSequence, decay: float, reach: int) -> tf.Tensor:
    """`decay ** ratings since` of the newest `reach` ratings, 0 of the rest: `(batch, length)`."""
    since = sequence.lengths()[:, tf.newaxis] - 1 - tf.range(tf.shape(sequence.movies)[1])
    faded = decay ** tf.maximum(tf.cast(since, tf.float32), 0.0)
    return tf.where((sequence.movies > 0) & (since < reach), faded, 0.0)


def _reach(decay: float) -> int:
    """How many of the newest ratings weigh something."""
    return math.ceil(math.log(NEGLIGIBLE) / math.log(decay)) if decay < 1 else tf.int32.max


def _history(sequence: RatedSequence, weights: tf.Tensor, columns: int) -> tf.Tensor:
    """The weights in the columns of the rated movies, 0 in all others: `(batch, columns)`."""
    batch, length = tf.unstack(tf.shape(sequence.movies))
    rows = tf.repeat(tf.range(batch), length)
    cells = tf.stack([rows, tf.reshape(sequence.movies, [-1])], axis=1)
    return tf.scatter_nd(cells, tf.reshape(weights, [-1]), [batch, columns])
