"""Products with rows that each vector has of its own, or with those of one user for all vectors.

Of one user, statically `(1, length, n)`, they are plain matrix products; to broadcast the rows would multiply
them again and again, vector by vector.
"""

from __future__ import annotations

import tensorflow as tf


def dots(rows: tf.Tensor, vectors: tf.Tensor) -> tf.Tensor:
    """`rows[b, l] . vectors[b]`: `(batch, length)` of `(batch or 1, length, n)` and `(batch, n)`."""
    if rows.shape[0] != 1:
        return tf.linalg.matvec(rows, vectors)
    return tf.matmul(vectors, rows[0], transpose_b=True)


def weighted_sum(rows: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Sum over l of `weights[b, l] * rows[b, l]`: `(batch, n)`."""
    if rows.shape[0] != 1:
        return tf.linalg.matvec(rows, weights, transpose_a=True)
    return tf.matmul(weights, rows[0])
