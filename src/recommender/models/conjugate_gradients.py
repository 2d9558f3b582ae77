"""Many regressions on the same rows that differ in what each row weighs, solved together."""

from __future__ import annotations

import tensorflow as tf

STEPS = 7
NEAR = 1e-5  # what may be left of a right side, as a share of its length
LEAST_SHARE = 0.1  # of the mean over the batch, that every weight must be


def solve_regressions(rows: tf.Tensor, weights: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """x of (I + sum over l of weights[b, l] rows[l] rows[l]') x = right[b, k], for all b and k.

    `rows` `(length, n)`, `weights` `(batch, length)`, at least 0, `right` `(batch, k, n)`, as is what is
    returned. Conjugate gradients (Hestenes and Stiefel 1952), preconditioned by the matrix of the mean
    weights: where weights lie within a factor of two or three around their mean, as those of candidates do,
    `STEPS` leave about what float32 can tell. They are a few products for the whole batch, decompositions
    many small pieces. Where more than `NEAR` is left, or a weight is below `LEAST_SHARE` of its mean, every
    matrix is decomposed after all. A solution depends on the rest of the batch by about 1e-5.
    """
    solved, rest = _conjugate_gradients(rows, weights, right)
    # Where the mean is far above a weight, their difference cancels in float32 and `rest` does not show it.
    alike = tf.reduce_all(weights >= LEAST_SHARE * tf.reduce_mean(weights, axis=0))
    return tf.cond((rest <= NEAR) & alike, lambda: solved, lambda: _one_by_one(rows, weights, right))


def _conjugate_gradients(
    rows: tf.Tensor, weights: tf.Tensor, right: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The solutions, and the largest share of a right side that is left: `()`."""
    n, per_batch = rows.shape[1], right.shape[1]
    mean = tf.math.divide_no_nan(tf.reduce_sum(weights, axis=0), tf.cast(tf.shape(weights)[0], tf.float32))
    lower = tf.linalg.cholesky(tf.eye(n) + tf.matmul(rows * mean[:, tf.newaxis], rows, transpose_a=True))
    whiten = tf.linalg.triangular_solve(lower, tf.eye(n))  # (n, n); with it the mean's matrix is I
    rows = tf.matmul(rows, whiten, transpose_b=True)
    differences = tf.repeat(weights - mean, per_batch, axis=0)  # (batch * k, length)

    def times_matrix(vectors: tf.Tensor) -> tf.Tensor:
        return vectors + tf.matmul(tf.matmul(vectors, rows, transpose_b=True) * differences, rows)

    left = tf.matmul(tf.reshape(right, [-1, n]), whiten, transpose_b=True)  # (batch * k, n)
    begun = _squares(left)
    solved, direction, squares = tf.zeros_like(left), left, begun
    for _ in range(STEPS):
        changed = times_matrix(direction)
        length = tf.math.divide_no_nan(squares, tf.reduce_sum(direction * changed, axis=1, keepdims=True))
        solved += length * direction
        left -= length * changed
        before, squares = squares, _squares(left)
        direction = left + tf.math.divide_no_nan(squares, before) * direction
    rest = tf.sqrt(tf.reduce_max(tf.math.divide_no_nan(squares, begun)))
    return tf.reshape(tf.matmul(solved, whiten), tf.shape(right)), rest


def _one_by_one(rows: tf.Tensor, weights: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """The same by a Cholesky decomposition each."""
    n = rows.shape[1]
    products = tf.reshape(rows[:, :, tf.newaxis] * rows[:, tf.newaxis, :], [-1, n * n])
    matrices = tf.reshape(tf.matmul(weights, products), [-1, n, n]) + tf.eye(n)
    solved = tf.linalg.cholesky_solve(tf.linalg.cholesky(matrices), tf.linalg.matrix_transpose(right))
    return tf.linalg.matrix_transpose(solved)


def _squares(vectors: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.square(vectors), axis=1, keepdims=True)
