"""Which movies people come to late: an expert that says the same of everybody."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.models.rated_sequence import RatedSequence

LAST = 20  # ratings of each user that count as the last
PRIOR = 10.0  # ratings added to both sides, so that a movie with few says little


def rated_last_lifts(
    movies: NDArray[np.integer], users: NDArray[np.integer], num_movies: int
) -> NDArray[np.float32]:
    """How many times more often than others' a movie's ratings are among the last of their users.

    `(num_movies + 1,)`, row 0 is 1; 1 also where nothing is known. `movies` `(n,)` are indices, in order of
    time for each of `users` `(n,)`, whose ratings stand together. What is asked next comes at the end of a
    history: a movie that is new, or that people find when they have rated what everybody has seen.
    """
    ends = np.cumsum(np.bincount(users))[users]
    last = ends - np.arange(len(movies)) <= LAST
    found, ratings = (np.bincount(chosen, minlength=num_movies + 1) for chosen in (movies[last], movies))
    expected = ratings * (last.sum() / max(len(movies), 1))
    return ((found + PRIOR) / (expected + PRIOR)).astype(np.float32)


class RatedLastPrior(tf.keras.layers.Layer):
    """Scores `(batch, num_movies + 1)`: the logarithms of `lifts` `(num_movies + 1,)`, for every history."""

    def __init__(self, lifts: NDArray[np.floating], **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        self.scores = tf.Variable(np.log(lifts).astype(np.float32), trainable=False, name="scores")

    def call(self, sequence: RatedSequence, movies: tf.Tensor | None = None) -> tf.Tensor:
        """`(batch, num_movies + 1)`, or `(batch, c)` of `movies` `(c,)`."""
        scores = self.scores if movies is None else tf.gather(self.scores, movies)
        return tf.repeat(scores[tf.newaxis], tf.shape(sequence.movies)[0], axis=0)
