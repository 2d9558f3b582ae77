"""The retrieval model in the graph: scores of the whole catalogue for a batch of users."""

from __future__ import annotations

import tensorflow as tf

from recommender.config import RetrievalSettings
from recommender.data.features import select
from recommender.export.rows import Columns
from recommender.models.retrieval import RetrievalModel
from recommender.models.retrieval_tower import MovieSide
from recommender.models.traced import traced_once


class Retriever(tf.Module):
    """A fitted retrieval model with what depends on no user kept."""

    def __init__(self, model: RetrievalModel, settings: RetrievalSettings) -> None:
        super().__init__()
        features = select({*settings.user_features, "history"}, "retrieval.user_features")
        self._columns = [column for feature in features for column in feature.columns]
        sides = [_kept(side) for side in model.movie_sides()]
        self._scores = traced_once(lambda columns: model.scores(columns, sides))
        # Apart, because what was traced for any number of users would be taken for one user, too.
        self._scores_of_one = traced_once(lambda columns: model.scores(columns, sides))
        self._candidate_scores = traced_once(lambda columns, movies: model.scores(columns, sides, movies))
        self._user_vectors = traced_once(model.user_vectors)
        self._variables = [*model.variables, *(part for side in sides for part in side)]
        vectors = tf.concat([side.vectors for side in sides], axis=1)
        self.movie_vectors = tf.Variable(vectors, trainable=False, name="movie_vectors")

    def user_vectors(self, users: Columns) -> tf.Tensor:
        """`(n, embedding_size * towers)` of the encoded columns of users."""
        return self._user_vectors({column: users[column] for column in self._columns})

    def scores(self, users: Columns) -> tf.Tensor:
        """`(n, num_movies + 1)`, by index: `RetrievalModel.scores`."""
        columns = {column: users[column] for column in self._columns}
        is_one = all(column.shape[0] == 1 for column in columns.values())
        return (self._scores_of_one if is_one else self._scores)(columns)

    def candidate_scores(self, user: Columns, movies: tf.Tensor) -> tf.Tensor:
        """Those of the movies `(c,)` for one user, columns `(1, ...)`: `(c,)`."""
        columns = {column: user[column] for column in self._columns}
        return self._candidate_scores(columns, movies)[0]

    def similarities(self, movies: tf.Tensor) -> tf.Tensor:
        """Cosines of movies `(n,)` with all: `(n, num_movies + 1)`."""
        vectors = tf.math.l2_normalize(self.movie_vectors, axis=1)
        return tf.matmul(tf.gather(vectors, movies), vectors, transpose_b=True)


def _kept(side: MovieSide) -> MovieSide:
    """As variables: embedding the whole catalogue takes longer than everything else of a request."""
    return MovieSide(*(tf.Variable(part, trainable=False, name="movie_side") for part in side))
