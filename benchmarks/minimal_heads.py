"""The heads as somebody writes them in Keras for one data set: what `benchmarks/heads.py` times ours against.

Functional models with nothing but the architecture: no settings, no unknown users, no task, no registry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from minimal_columns import Columns
from minimal_foldin import foldin

from recommender.config import Settings
from recommender.data.encode import Arrays
from recommender.data.prepared import Prepared

layers = tf.keras.layers


class Vectors(layers.Layer):
    """A vector for each numeric column, times its value."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def build(self, shape: tf.TensorShape) -> None:
        """One row a column."""
        self.vectors = self.add_weight("vectors", (shape[-1], self.size))

    def call(self, numeric: tf.Tensor) -> tf.Tensor:
        """`(batch, columns, size)`."""
        return numeric[:, :, None] * self.vectors


class Neighbours(layers.Layer):
    """Attention of the candidate over the history, minus a learned decay by age."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def build(self, shape: tf.TensorShape) -> None:
        """Projections and decays."""
        size = shape[-1]
        self.query = self.add_weight("query", (size, self.heads, size))
        self.key = self.add_weight("key", (size, self.heads, size))
        self.decay = self.add_weight("decay", (self.heads,), initializer="zeros")

    def call(self, candidate: tf.Tensor, history: Any) -> tf.Tensor:
        """`(batch, 2 * heads)`."""
        movies, deviations, ages, mask = history
        query = tf.einsum("bd,dhe->bhe", candidate, self.query)
        key = tf.einsum("bld,dhe->blhe", movies, self.key)
        logits = tf.einsum("bhe,blhe->bhl", query, key) / float(candidate.shape[1]) ** 0.5
        logits -= tf.nn.softplus(self.decay)[:, None] * ages[:, None, :]
        weights = tf.nn.softmax(logits + (mask[:, None, :] - 1.0) * 1e9) * mask[:, None, :]
        return tf.concat(
            [tf.einsum("bhl,bl->bh", weights, deviations), tf.reduce_sum(weights**2, axis=2)], axis=1
        )


def dense(x: tf.Tensor, sizes: Any, activation: str, dropout: float = 0.0) -> tf.Tensor:
    """Dense layers with dropout."""
    for units in sizes:
        x = layers.Dense(units, activation)(x)
        x = layers.Dropout(dropout)(x) if dropout else x
    return x


def score(x: tf.Tensor, bias: bool = True) -> tf.Tensor:
    """`(batch,)`."""
    return layers.Dense(1, use_bias=bias)(x)[:, 0]


def mlp(
    c: Columns, hidden: Any, activation: str, dropout: float, attention_heads: int, l2: float
) -> tf.Tensor:
    """Embedding-MLP with taste and neighbours."""
    *embeddings, taste = c.fields()
    candidate = c.embeddings["movie_id"]
    product = taste * candidate
    dot = tf.reduce_sum(product, axis=1, keepdims=True)
    neighbours = Neighbours(attention_heads)(candidate, c.history)
    x = tf.concat([*embeddings, c.numeric, product, dot, neighbours], axis=1)
    return score(dense(x, hidden, activation, dropout))


def wide_deep(
    c: Columns, hidden: Any, activation: str, dropout: float, cross_buckets: int, wide_l2: float
) -> tf.Tensor:
    """Wide & Deep."""
    wide = c.one_hot([name for name in c.embeddings if name != "liked_movies"])
    first, second = c.inputs["movie_id"], c.inputs["liked_movies"][:, 0]
    bucket = (tf.cast(first, tf.int64) * 1_000_003 + tf.cast(second, tf.int64)) % cross_buckets
    penalty = tf.keras.regularizers.L2(wide_l2)
    cross = layers.Embedding(cross_buckets, 1, "zeros", embeddings_regularizer=penalty)(bucket)[:, 0]
    cross = tf.where((first > 0) & (second > 0), cross, 0.0)
    return wide + cross + score(dense(c.joined(), hidden, activation, dropout))


def deepfm(c: Columns, hidden: Any, activation: str, dropout: float, linear_l2: float) -> tf.Tensor:
    """DeepFM."""
    vectors = tf.concat([tf.stack(c.fields(), axis=1), Vectors(c.size)(c.numeric)], axis=1)
    squares = tf.reduce_sum(vectors, axis=1) ** 2 - tf.reduce_sum(vectors**2, axis=1)
    deep = score(dense(layers.Flatten()(vectors), hidden, activation, dropout), bias=False)
    return c.one_hot(list(c.embeddings)) + score(c.numeric) + 0.5 * tf.reduce_sum(squares, axis=1) + deep


def neumf(c: Columns, gmf_size: int, hidden: Any, activation: str, dropout: float) -> tf.Tensor:
    """NeuMF."""
    users, movies = (
        layers.Embedding(c.rows[name], gmf_size)(c.inputs[name]) for name in ("user_id", "movie_id")
    )
    return score(tf.concat([users * movies, dense(c.joined(), hidden, activation, dropout)], axis=1))


def two_tower(c: Columns, hidden: Any, size: int, activation: str, dropout: float) -> tf.Tensor:
    """Two towers."""
    numeric = [feature for feature in c.features if feature.kind == "numeric"]
    vectors = []
    for of_movie in (False, True):
        names = [f.name for f in c.features if f.source.startswith("movie") == of_movie]
        columns = [i for i, feature in enumerate(numeric) if feature.name in names]
        side = [vector for name, vector in c.embeddings.items() if name in names]
        side += [tf.gather(c.numeric, columns, axis=1)] + (
            [] if of_movie else c.fields()[len(c.embeddings) :]
        )
        vectors.append(layers.Dense(size)(dense(tf.concat(side, axis=1), hidden, activation, dropout)))
    return tf.reduce_sum(vectors[0] * vectors[1], axis=1)


def dlrm(c: Columns, bottom: Any, top: Any, activation: str, dropout: float) -> tf.Tensor:
    """DLRM."""
    numeric = dense(c.numeric, [*bottom, c.size], activation)
    vectors = tf.stack([numeric, *c.fields()], axis=1)
    products = layers.Flatten()(tf.matmul(vectors, vectors, transpose_b=True))
    pairs = tf.gather(products, np.flatnonzero(np.tri(vectors.shape[1], k=-1)), axis=1)
    return score(dense(tf.concat([numeric, pairs], axis=1), top, activation, dropout))


def dcn(
    c: Columns,
    cross_layers: int,
    rank: int | None,
    structure: str,
    hidden: Any,
    activation: str,
    dropout: float,
) -> tf.Tensor:
    """DCN v2."""
    x0 = x = c.joined()
    for _ in range(cross_layers):
        narrow = x if rank is None else layers.Dense(rank, use_bias=False)(x)
        x = x0 * layers.Dense(x0.shape[1])(narrow) + x
    if structure == "stacked":
        return score(dense(x, hidden, activation, dropout))
    return score(tf.concat([x, dense(x0, hidden, activation, dropout)], axis=1))


def din(c: Columns, unit: Any, hidden: Any, activation: str, dropout: float) -> tf.Tensor:
    """DIN."""
    movies, deviations, ages, mask = c.history
    candidate = c.embeddings["movie_id"]
    beside = tf.broadcast_to(candidate[:, None, :], tf.shape(movies))
    numbers = tf.stack([deviations, ages], axis=2)
    seen = tf.concat([movies, beside, movies * beside, numbers], axis=2)
    weights = layers.Dense(1)(dense(seen, unit, activation))[:, :, 0] * mask
    interest = tf.einsum("bl,bld->bd", weights, movies)
    interest /= tf.sqrt(1.0 + tf.reduce_sum(mask, axis=1, keepdims=True))
    x = tf.concat([*c.embeddings.values(), c.numeric, interest, interest * candidate], axis=1)
    return score(dense(x, hidden, activation, dropout))


HEADS: Mapping[str, Callable[..., tf.Tensor]] = {
    head.__name__: head for head in (mlp, wide_deep, deepfm, neumf, two_tower, dlrm, dcn, din, foldin)
}


def minimal_model(
    settings: Settings, prepared: Prepared, arrays: Arrays, options: Mapping[str, Any]
) -> tf.keras.Model:
    """The model of `settings.ranking` written by hand; `options` are all of its head's, defaults too."""
    columns = Columns(settings, prepared, arrays)
    return columns.model(HEADS[settings.ranking.head](columns, **options))
