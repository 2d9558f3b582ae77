"""The user tower: who a user is and what they rated, in order -> one vector after each rating."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from recommender.models.embedding import FeatureEmbedding
from recommender.models.rated_sequence import RatedSequence, rating_and_gap

Columns = Mapping[str, tf.Tensor]


class UserTower(tf.keras.layers.Layer):
    """Vectors of a user before the first rating and after each: `(batch, length + 1, size)`.

    `encoder` reads a learned start vector and then, for each rating, the movie's embedding plus one of stars
    and of the time since the rating before; what is said of position i depends on the first i ratings only.
    The features of `embedding`, which do not change while a user rates, are added linearly. Without `encoder`
    they are all. In training a share `dropout` of the encoder's inputs is zeroed, and the ids of some users
    are hidden as `embedding` says.
    """

    def __init__(
        self,
        embedding: FeatureEmbedding,
        encoder: tf.keras.layers.Layer | None,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.embedding = embedding
        self.encoder = encoder
        self.size = embedding.movies.embedding_size
        self.context = tf.keras.layers.Dense(self.size, use_bias=False, name="rating_and_gap")
        self.norm = tf.keras.layers.LayerNormalization()
        self.dropout = tf.keras.layers.Dropout(dropout)
        self.state = tf.keras.layers.Dense(self.size, name="state")
        self.who = tf.keras.layers.Dense(self.size, use_bias=False, name="who")

    def build(self, input_shape: Any) -> None:
        """Create the vector that every history begins with."""
        self.start = self.add_weight("start", (1, 1, self.size), initializer="random_normal")

    def call(self, users: Columns, sequence: RatedSequence, training: bool = False) -> tf.Tensor:
        """Encoded columns of the users and what they rated -> `(batch, length + 1, size)`."""
        embedded = self.embedding(self.embedding.forget(users) if training else users)
        parts = [*embedded.embeddings.values(), embedded.numeric]
        who = self.who(tf.concat(parts, axis=1))[:, tf.newaxis]
        if self.encoder is None:
            return tf.repeat(who, tf.shape(sequence.movies)[1] + 1, axis=1)
        return self.state(self.encoder(self._steps(sequence, training), training=training)) + who

    def _steps(self, sequence: RatedSequence, training: bool) -> tf.Tensor:
        context = self.context(rating_and_gap(sequence, self.embedding.schema.rating_scale))
        rated = self.embedding.movies(sequence.movies) + context
        start = tf.repeat(self.start, tf.shape(rated)[0], axis=0)
        return self.dropout(self.norm(tf.concat([start, rated], axis=1)), training=training)
