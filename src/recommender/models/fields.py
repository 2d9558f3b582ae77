"""Fields, the vectors of one row that heads let interact, and the two classic ways in which they do."""

from __future__ import annotations

import tensorflow as tf

from recommender.models.affinity import taste
from recommender.models.embedding import Embedded


def fields(inputs: Embedded) -> list[tf.Tensor]:
    """Every embedding, and with a history the user's taste as one more: each `(batch, embedding_size)`.

    Factorisation machines and DLRM sum the vectors of a field with many values; the taste is that sum over
    the rated movies, weighted by how far the ratings lie from expectation.
    """
    return [*inputs.embeddings.values(), *([] if inputs.history is None else [taste(inputs.history)])]


def pairwise_sum(vectors: tf.Tensor) -> tf.Tensor:
    """The sum of the dot products of all pairs: `(batch, fields, size)` -> `(batch,)`.

    In linear time as ((sum v)^2 - sum v^2) / 2: Rendle 2010, Factorization Machines.
    """
    square_of_sum = tf.square(tf.reduce_sum(vectors, axis=1))
    sum_of_squares = tf.reduce_sum(tf.square(vectors), axis=1)
    return 0.5 * tf.reduce_sum(square_of_sum - sum_of_squares, axis=1)


def dot_products(vectors: tf.Tensor) -> tf.Tensor:
    """The dot product of every pair, each once: `(batch, fields, size)` -> `(batch, pairs)`.

    Of n fields n (n - 1) / 2 pairs: (1, 0), (2, 0), (2, 1), (3, 0), ...
    """
    count = vectors.shape[1]
    products = tf.matmul(vectors, vectors, transpose_b=True)  # (batch, fields, fields)
    below = [row * count + column for row in range(count) for column in range(row)]
    return tf.gather(tf.reshape(products, [-1, count * count]), below, axis=1)
