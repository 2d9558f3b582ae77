"""`wide_deep`: a linear model that memorises pairs of movies beside a network that generalises."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from recommender.config import Positive, Rate
from recommender.models.dense_layers import DenseLayers
from recommender.models.embedding import Embedded
from recommender.models.fields import fields
from recommender.models.heads.head import Activation, Head, Penalty, Sizes, register_head
from recommender.models.one_hot_linear import OneHotLinear


@register_head("wide_deep")
class WideDeepHead(Head):
    """Wide & Deep (Cheng et al. 2016): the sum of two scores, trained together.

    Wide: a weight for every id and category, and one for every pair of the candidate and the movie that the
    user liked last, hashed to `cross_buckets`. Deep: dense layers over embeddings and numeric columns.
    """

    def __init__(
        self,
        hidden: Sizes = (256, 128, 64),
        activation: Activation = "relu",
        dropout: Rate = 0.2,
        cross_buckets: Positive = 10_000,
        wide_l2: Penalty = 1e-5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # Of the liked movies the last one counts here, with the candidate.
        ones = {name: rows for name, rows in self.spec.rows.items() if name != "liked_movies"}
        self.wide = OneHotLinear(ones, wide_l2, name="wide")
        self.cross = HashedCross(cross_buckets, wide_l2, name="cross")
        self.deep = DenseLayers(hidden, activation, dropout, name="deep")
        self.score = tf.keras.layers.Dense(1, name="score")

    def call(self, inputs: Embedded, training: bool = False) -> tf.Tensor:
        """Score each row: `(batch,)`."""
        indices = inputs.indices
        wide = self.wide(indices) + self.cross(indices["movie_id"], indices["liked_movies"][:, 0])
        deep = self.deep(tf.concat([*fields(inputs), inputs.numeric], axis=1), training=training)
        return wide + tf.squeeze(self.score(deep), axis=1)


class HashedCross(tf.keras.layers.Layer):
    """A weight for every pair of two indices, `(batch,)` and `(batch,)` -> `(batch,)`.

    Pairs share `buckets` weights by a hash that is the same everywhere and always. A pair with an index 0,
    something unknown, has no weight.
    """

    def __init__(self, buckets: int, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.buckets = buckets
        regularizer = tf.keras.regularizers.L2(l2) if l2 else None
        self.table = tf.keras.layers.Embedding(
            buckets, 1, embeddings_initializer="zeros", embeddings_regularizer=regularizer, name="weights"
        )

    def bucket(self, first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
        """Where a pair's weight lies: the high bits of a multiplicative hash (Knuth, The Art of Computer
        Programming 3, 6.4), which unlike a remainder spreads neighbouring pairs."""
        pair = tf.bitwise.left_shift(tf.cast(first, tf.uint64), 32) + tf.cast(second, tf.uint64)
        # 2^64 and 2^32 over the golden ratio; the halves are mixed, or pairs of one movie would stay close.
        pair = tf.bitwise.bitwise_xor(pair, tf.bitwise.right_shift(pair, 32) * 0x9E3779B1)
        mixed = tf.bitwise.right_shift(pair * 0x9E3779B97F4A7C15, 32)
        return tf.cast(mixed % self.buckets, tf.int32)

    def call(self, first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
        """The weights of a batch of pairs."""
        weights = tf.squeeze(self.table(self.bucket(first, second)), axis=1)
        return tf.where((first > 0) & (second > 0), weights, 0.0)
