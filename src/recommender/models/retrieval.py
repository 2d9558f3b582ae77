"""The retrieval model: two towers and `tfrs.tasks.Retrieval`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
from numpy.typing import NDArray

from recommender.config import RetrievalSettings
from recommender.data.features import select
from recommender.data.schema import Schema
from recommender.models.embedding import FeatureEmbedding
from recommender.models.movie_embedding import MovieContent, MovieEmbedding
from recommender.models.user_tower import UserTower

Columns = Mapping[str, tf.Tensor]


class RetrievalModel(tfrs.models.Model):
    """Scores a user against every movie by one inner product.

    Trained by a softmax over the positives of the batch and `negatives` movies drawn uniformly from those
    that training has seen, each corrected by the logarithm of how often it is a candidate (logQ: Yi et al.
    2019; mixed negatives: Yang et al. 2020). A row's own movie, wherever else it stands in the batch, and the
    movies of its history are no negatives for it. `movie_counts` `(num_movies,)` are the training ratings of
    each movie. Raises `ConfigError` for features that a tower cannot have.
    """

    def __init__(
        self,
        settings: RetrievalSettings,
        schema: Schema,
        content: MovieContent,
        movie_counts: NDArray[np.integer],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        user_features = select(settings.user_features, "retrieval.user_features", ("user", "user_history"))
        select(settings.movie_features, "retrieval.movie_features", ("movie",))
        size = settings.embedding_size
        self.schema = schema
        self.negatives = settings.negatives
        self.l2 = settings.l2
        self.movie_tower = MovieEmbedding(schema, content, size, settings.movie_features, name="movie_tower")
        embedding = FeatureEmbedding(
            user_features, schema, self.movie_tower, settings.unknown_user_rate, name="embedding"
        )
        self.user_tower = UserTower(
            embedding, size, settings.hidden, settings.history_length, settings.dropout, name="user_tower"
        )
        share = np.concatenate([[0.0], movie_counts]) / max(movie_counts.sum(), 1)
        self.share = tf.constant(share, tf.float32)  # of training ratings, by model index
        self.task = tfrs.tasks.Retrieval(temperature=settings.temperature, remove_accidental_hits=True)

    def call(self, features: Columns, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """User and movie vectors of a batch of pairs, both `(batch, embedding_size)`."""
        return self.user_tower(features, training=training), self.movie_tower(features["movie_id"])

    def compute_loss(self, inputs: Columns, training: bool = False) -> tf.Tensor:
        """The loss of a batch of rated pairs: sum over rows / global batch, so replicas add up to a mean.

        Movies of `history_movies`, where the batch has them, are no negatives of their row.
        """
        positives = inputs["movie_id"]
        drawn = tf.random.uniform([self.negatives], 1, self.schema.known_movies + 1, positives.dtype)
        candidates = tf.concat([positives, drawn], axis=0)
        batch = tf.shape(positives)[0]
        user_vectors = self.user_tower(inputs, training=training)  # (batch, embedding_size)
        movie_vectors = self.movie_tower(candidates)  # (batch + negatives, embedding_size)
        loss = self.task(
            user_vectors,
            movie_vectors,
            candidate_sampling_probability=self._candidate_share(candidates, batch),
            candidate_ids=candidates,
            score_mask=_unseen(inputs, candidates, self.schema.num_movies),
            compute_metrics=False,
        )
        loss += self.l2 * (tf.nn.l2_loss(user_vectors) + tf.nn.l2_loss(movie_vectors[:batch]))
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        return loss / tf.cast(batch * replicas, tf.float32)

    def _candidate_share(self, candidates: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
        """The share of all candidates of a step that each one is expected to be, `(batch + negatives,)`.

        Shares and not expected counts, which differ by a constant only: the task cuts off what exceeds 1.
        """
        rows = tf.cast(batch, tf.float32)
        expected = rows * tf.gather(self.share, candidates) + self.negatives / self.schema.known_movies
        return expected / (rows + self.negatives)


def _unseen(inputs: Columns, candidates: tf.Tensor, num_movies: int) -> tf.Tensor | None:
    """Which candidates are not in a row's history, or are its positive: bool `(batch, candidates)`."""
    if "history_movies" not in inputs:
        return None
    seen = inputs["history_movies"]
    batch, length = tf.shape(seen)[0], tf.shape(seen)[1]
    rows = tf.repeat(tf.range(batch), length)
    cells = tf.stack([rows, tf.reshape(seen, [-1])], axis=1)
    times = tf.scatter_nd(cells, tf.ones([batch * length], tf.int32), tf.stack([batch, num_movies + 1]))
    unseen = tf.gather(times, candidates, axis=1) == 0
    return unseen | tf.eye(batch, tf.shape(candidates)[0], dtype=tf.bool)
