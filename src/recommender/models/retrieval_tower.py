"""Two towers, a user's and a movie's: one of the experts of a retrieval model."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.models.movie_embedding import MovieEmbedding, known_or_zero
from recommender.models.user_tower import UserTower


class MovieSide(NamedTuple):
    """What of a tower's scores depends on no user; row = model index."""

    vectors: tf.Tensor  # (num_movies + 1, size)
    bias: tf.Tensor  # (num_movies + 1,)

    def of(self, movies: tf.Tensor) -> MovieSide:
        """That of the movies `(c,)` alone."""
        return MovieSide(tf.gather(self.vectors, movies), tf.gather(self.bias, movies))


class RetrievalTower(tf.keras.layers.Layer):
    """Scores `user vector . movie vector / temperature + bias of the movie`.

    The bias begins with the logarithm of the movie's `share` `(known_movies + 1,)` of training ratings. The
    vector and the bias of a movie without training ratings are those of its content and of the unknown movie.
    """

    def __init__(
        self,
        user_tower: UserTower,
        movie_tower: MovieEmbedding,
        share: NDArray[np.floating],
        temperature: float,
        num_movies: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.user_tower = user_tower
        self.movie_tower = movie_tower
        self.temperature = temperature
        self.num_movies = num_movies
        start = tf.keras.initializers.Constant(np.log(share))
        self.bias = self.add_weight("bias", share.shape, initializer=start)

    def movie_side(self) -> MovieSide:
        """The vectors and biases of all movies; row 0, no movie, means nothing."""
        movies = tf.range(self.num_movies + 1)
        return MovieSide(self.movie_tower(movies), self.biases(movies))

    def biases(self, movies: tf.Tensor) -> tf.Tensor:
        """`(n,)` of the movies `(n,)`."""
        return tf.gather(self.bias, known_or_zero(movies, self.movie_tower.known))

    def logits(self, user_vectors: tf.Tensor, movies: MovieSide | None = None) -> tf.Tensor:
        """`(n, num_movies + 1)` for user vectors `(n, size)`; column 0, no movie, means nothing.

        `movies` is the tower's `movie_side` where it was kept since the weights last changed, or some of it:
        then the columns are those movies.
        """
        movies = movies or self.movie_side()
        return tf.matmul(user_vectors, movies.vectors, transpose_b=True) / self.temperature + movies.bias
