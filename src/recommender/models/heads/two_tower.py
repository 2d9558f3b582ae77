"""`two_tower`: user and movie meet in one dot product only."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from recommender.config import Positive, Rate
from recommender.data.features import BY_NAME, Feature
from recommender.models.affinity import taste
from recommender.models.dense_layers import DenseLayers
from recommender.models.embedding import Embedded
from recommender.models.heads.head import Activation, Head, Sizes, register_head


@register_head("two_tower")
class TwoTowerHead(Head):
    """Two towers of dense layers and the dot product of their outputs (Yi et al. 2019, as in TFRS).

    The movie tower sees what `ranking.features` say of the movie, the user tower all the rest: the user's
    taste, where the history is among them, and context too. Movies' vectors can therefore be computed ahead
    and searched, which no other head allows.
    """

    def __init__(
        self,
        hidden: Sizes = (64,),
        size: Positive = 32,
        activation: Activation = "relu",
        dropout: Rate = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.user_layers = DenseLayers(hidden, activation, dropout, name="user_layers")
        self.user_vector = tf.keras.layers.Dense(size, name="user_vector")
        self.movie_layers = DenseLayers(hidden, activation, dropout, name="movie_layers")
        self.movie_vector = tf.keras.layers.Dense(size, name="movie_vector")

    def call(self, inputs: Embedded, training: bool = False) -> tf.Tensor:
        """Score each row: `(batch,)`."""
        user = self.user_vector(self.user_layers(self.user_inputs(inputs), training=training))
        movie = self.movie_vector(self.movie_layers(self.movie_inputs(inputs), training=training))
        return tf.reduce_sum(user * movie, axis=1)

    def user_inputs(self, inputs: Embedded) -> tf.Tensor:
        """What is known of the user and of the moment: `(batch, any)`."""
        history = [] if inputs.history is None else [taste(inputs.history)]
        return tf.concat([*self._side(inputs, of_movie=False), *history], axis=1)

    def movie_inputs(self, inputs: Embedded) -> tf.Tensor:
        """What is known of the movie: `(batch, any)`."""
        return tf.concat(self._side(inputs, of_movie=True), axis=1)

    def _side(self, inputs: Embedded, of_movie: bool) -> list[tf.Tensor]:
        """One side's embeddings and, last, its numeric columns, of which there may be none."""
        numeric = [feature for feature in self.spec.features if feature.kind == "numeric"]
        columns = [index for index, feature in enumerate(numeric) if _is_of_movie(feature) == of_movie]
        embeddings = [
            value for name, value in inputs.embeddings.items() if _is_of_movie(BY_NAME[name]) == of_movie
        ]
        return [*embeddings, tf.gather(inputs.numeric, tf.constant(columns, tf.int32), axis=1)]


def _is_of_movie(feature: Feature) -> bool:
    return feature.source in ("movie", "movie_history")
