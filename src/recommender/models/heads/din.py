"""`din`: which of the rated movies matter depends on the candidate."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from recommender.config import Rate
from recommender.models.dense_layers import DenseLayers
from recommender.models.embedding import Embedded, History
from recommender.models.heads.head import Activation, Head, Sizes, register_head


@register_head("din")
class DINHead(Head):
    """Deep Interest Network (Zhou et al. 2018): dense layers over embeddings, numbers and the interest.

    The interest is the sum of the rated movies, each weighted by an activation unit that sees it beside the
    candidate. `unit` are the hidden sizes of that unit, `hidden` those of the layers.
    """

    def __init__(
        self,
        unit: Sizes = (36,),
        hidden: Sizes = (200, 80),
        activation: Activation = "swish",
        dropout: Rate = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.attention = Interest(unit, activation, name="attention")
        self.deep = DenseLayers(hidden, activation, dropout, name="deep")
        self.score = tf.keras.layers.Dense(1, name="score")

    def call(self, inputs: Embedded, training: bool = False) -> tf.Tensor:
        """Score each row: `(batch,)`."""
        candidate = inputs.embeddings["movie_id"]
        interest = self.attention(candidate, inputs.history)
        x = tf.concat([*inputs.embeddings.values(), inputs.numeric, interest, interest * candidate], axis=1)
        return tf.squeeze(self.score(self.deep(x, training=training)), axis=1)


class Interest(tf.keras.layers.Layer):
    """sum of a(candidate, rated movie) * rated movie over the history, `(batch, embedding_size)`.

    The activation unit `a` is a small network over the rated movie, the candidate, their product, and the
    rating's deviation and age: clicks, for which it was devised, are all alike, ratings are not. As in the
    paper its outputs are no softmax, so that strong interest stays strong; the sum is divided by the root of
    the count, as `taste` is, because histories here differ a hundredfold in length.
    """

    def __init__(self, unit: Sizes, activation: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.unit = DenseLayers(unit, activation, name="unit")
        self.weight = tf.keras.layers.Dense(1, name="weight")

    def call(self, candidate: tf.Tensor, history: History) -> tf.Tensor:
        """`candidate` `(batch, embedding_size)`; zeros without a history."""
        weights = self.weights_of(candidate, history) * history.mask  # (batch, length)
        total = tf.einsum("bl,bld->bd", weights, history.movies)
        return total / tf.sqrt(1.0 + tf.reduce_sum(history.mask, axis=1, keepdims=True))

    def weights_of(self, candidate: tf.Tensor, history: History) -> tf.Tensor:
        """What the activation unit says of each place of the history, padding too: `(batch, length)`."""
        beside = tf.broadcast_to(candidate[:, tf.newaxis, :], tf.shape(history.movies))
        numbers = tf.stack([history.deviations, history.ages], axis=2)
        seen = tf.concat([history.movies, beside, history.movies * beside, numbers], axis=2)
        return tf.squeeze(self.weight(self.unit(seen)), axis=2)
