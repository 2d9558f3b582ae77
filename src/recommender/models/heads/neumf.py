"""`neumf`: matrix factorisation and a network, each with its own embeddings of user and movie."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from recommender.config import Positive, Rate
from recommender.models.dense_layers import DenseLayers
from recommender.models.embedding import Embedded
from recommender.models.fields import fields
from recommender.models.heads.head import Activation, Head, Sizes, register_head


@register_head("neumf")
class NeuMFHead(Head):
    """NeuMF (He et al. 2017, Neural Collaborative Filtering).

    GMF: the elementwise product of a user's and a movie's vector of `gmf_size`, from tables of its own. MLP:
    dense layers over the model's embeddings, of size `ranking.embedding_size`. One dense layer scores both.
    With `ranking.features: [user_id, movie_id]` this is the paper's model; what else is among them joins the
    input of the dense layers.
    """

    def __init__(
        self,
        gmf_size: Positive = 32,
        hidden: Sizes = (64, 32, 16, 8),
        activation: Activation = "relu",
        dropout: Rate = 0.25,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        rows = self.spec.rows
        self.users = tf.keras.layers.Embedding(rows.get("user_id", 1), gmf_size, name="gmf_user")
        self.movies = tf.keras.layers.Embedding(rows.get("movie_id", 1), gmf_size, name="gmf_movie")
        self.mlp = DenseLayers(hidden, activation, dropout, name="mlp")
        self.score = tf.keras.layers.Dense(1, name="score")

    def call(self, inputs: Embedded, training: bool = False) -> tf.Tensor:
        """Score each row: `(batch,)`."""
        mlp = self.mlp(tf.concat([*fields(inputs), inputs.numeric], axis=1), training=training)
        return tf.squeeze(self.score(tf.concat([self.gmf(inputs), mlp], axis=1)), axis=1)

    def gmf(self, inputs: Embedded) -> tf.Tensor:
        """Generalised matrix factorisation before its weights, `(batch, gmf_size)`."""
        return self.users(inputs.indices["user_id"]) * self.movies(inputs.indices["movie_id"])
