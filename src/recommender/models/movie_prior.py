"""An expert that says the same of a movie to everybody."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.models.rated_sequence import RatedSequence


class MoviePrior(tf.keras.layers.Layer):
    """Scores `(batch, num_movies + 1)`: the logarithms of `table` `(num_movies + 1,)`, for every history."""

    def __init__(self, table: NDArray[np.floating], **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        self.scores = tf.Variable(np.log(table).astype(np.float32), trainable=False, name="scores")

    def call(self, sequence: RatedSequence, movies: tf.Tensor | None = None) -> tf.Tensor:
        """`(batch, num_movies + 1)`, or `(batch, c)` of `movies` `(c,)`."""
        scores = self.scores if movies is None else tf.gather(self.scores, movies)
        return tf.repeat(scores[tf.newaxis], tf.shape(sequence.movies)[0], axis=0)
