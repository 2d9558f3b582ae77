"""The retrieval model: two towers and `tfrs.tasks.Retrieval`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
from numpy.typing import NDArray

from recommender.config import RetrievalSettings
from recommender.data.features import select
from recommender.data.schema import Schema
from recommender.models.embedding import FeatureEmbedding, masked_mean
from recommender.models.movie_embedding import MovieContent, MovieEmbedding

Columns = Mapping[str, tf.Tensor]


class RetrievalModel(tfrs.models.Model):
    """Scores a user against every movie by one inner product.

    Trained by a softmax over the positives of the batch and `negatives` movies drawn uniformly from the
    catalogue, each corrected by the logarithm of how often it is sampled (logQ; Yi et al. 2019, mixed negatives:
    Yang et al. 2020). Other positives of the batch that are the same movie are removed.
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
        self.schema = schema
        size = settings.embedding_size
        self.movie_tower = MovieEmbedding(schema, content, size, settings.movie_features, name="movie_tower")
        embedding = FeatureEmbedding(
            user_features, schema, self.movie_tower, settings.unknown_user_rate, name="embedding"
        )
        self.user_tower = UserTower(embedding, size, settings.dropout, name="user_tower")
        self.negatives = settings.negatives
        share = np.concatenate([[0.0], movie_counts]) / max(movie_counts.sum(), 1)
        self.share = tf.constant(share, tf.float32)  # of training ratings, by model index
        self.task = tfrs.tasks.Retrieval(temperature=settings.temperature, remove_accidental_hits=True)
        # A list: Keras would take the task's metrics, which rank the catalogue at every step, for its own.

    def call(self, features: Columns, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """User and movie vectors of a batch of pairs, both `(batch, embedding_size)`."""
        return self.user_tower(features, training=training), self.movie_tower(features["movie_id"])

    def compute_loss(self, inputs: Columns, training: bool = False) -> tf.Tensor:
        """The loss of a batch of rated pairs: sum over rows / global batch."""
        positives = inputs["movie_id"]
        batch = tf.shape(positives)[0]
        drawn = tf.random.uniform([self.negatives], 1, self.schema.known_movies + 1, tf.int32)
        candidates = tf.concat([positives, drawn], axis=0)
        expected = tf.cast(batch, tf.float32) * tf.gather(self.share, candidates)
        expected += self.negatives / self.schema.known_movies
        import os
        u=self.user_tower(inputs, training=training); v=self.movie_tower(candidates)
        reg=float(os.environ.get('REG','0'))*(tf.reduce_sum(u*u)+tf.reduce_sum(v[:batch]*v[:batch]))
        loss = reg + self.task(
            u,
            v,
            candidate_sampling_probability=expected,
            candidate_ids=candidates,
            score_mask=self._unseen(inputs, candidates),
            compute_metrics=False,
        )
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        return loss / tf.cast(batch * replicas, tf.float32)


    def _unseen(self, inputs, candidates):
        seen = inputs.get("history_movies")
        if seen is None: return None
        batch = tf.shape(seen)[0]
        rows = tf.repeat(tf.range(batch), tf.shape(seen)[1])
        table = tf.scatter_nd(tf.stack([rows, tf.reshape(seen, [-1])], 1), tf.ones([tf.size(seen)], tf.int32), tf.stack([batch, self.schema.num_movies + 1]))
        unseen = tf.gather(table, candidates, axis=1) == 0
        return tf.logical_or(unseen, tf.eye(batch, tf.shape(candidates)[0], dtype=tf.bool))


class UserTower(tf.keras.layers.Layer):
    def __init__(self, embedding: FeatureEmbedding, size: int, dropout: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.embedding = embedding
        self.rate = dropout
        self.skip = tf.keras.layers.Dense(size)
        self.position = None
        self.dropout = tf.keras.layers.Dropout(dropout)
        self.hidden = tf.keras.layers.Dense(2 * size, "swish")
        self.out = tf.keras.layers.Dense(size)

    def build(self, shape):
        n = self.embedding.schema.history_length
        self.position = self.add_weight("position", (n,), initializer="zeros")

    def call(self, inputs: Columns, training: bool = False) -> tf.Tensor:
        e = self.embedding(inputs, training=training)
        parts = [*e.embeddings.values(), e.numeric]
        if e.history is not None:
            h = e.history
            mask = h.mask
            if training: mask = mask * tf.cast(tf.random.uniform(tf.shape(mask)) >= self.rate, tf.float32)
            def pool(w): return tf.einsum("bl,bld->bd", w, h.movies) / tf.sqrt(1.0 + tf.reduce_sum(mask, 1, keepdims=True))
            w = mask * tf.exp(self.position)
            recent = tf.einsum("bl,bld->bd", w, h.movies) / (tf.reduce_sum(w, 1, keepdims=True) + 1e-6)
            self_parts = [pool(mask), pool(mask*h.deviations), recent, h.movies[:, 0]]
            parts += self_parts
        p = tf.concat(parts, 1)
        import os
        if os.environ.get('LIN'): return self.skip(self.dropout(p, training=training))
        x = self.hidden(p)
        return self.out(self.dropout(x, training=training)) + self.skip(p)
