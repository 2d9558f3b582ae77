"""The best movies of a score per movie, some of them excluded."""

from __future__ import annotations

import tensorflow as tf

LOWEST = tf.float32.min  # of what is excluded; finite, because JSON has no infinity


def exclude(scores: tf.Tensor, cells: tf.Tensor) -> tf.Tensor:
    """Scores `(n, num_movies + 1)` with `LOWEST` at the (row, index) `cells` and at index 0, no movie."""
    no_movie = tf.fill([tf.shape(scores)[0], 1], LOWEST)
    scores = tf.concat([no_movie, scores[:, 1:]], axis=1)
    return tf.tensor_scatter_nd_update(scores, cells, tf.fill(tf.shape(cells)[:1], LOWEST))


def best(scores: tf.Tensor, k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Columns and scores of the `k` highest of each row of `(n, m)`: `(n, min(k, m))`, ties by column."""
    values, columns = tf.math.top_k(scores, tf.clip_by_value(k, 0, tf.shape(scores)[1]))
    return columns, values


def best_movies(scores: tf.Tensor, k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Indices and scores of the `k` best movies by scores `(n, num_movies + 1)`: `(n, min(k, num_movies))`.

    Where fewer are left, places at the end have index 0 and `LOWEST`.
    """
    index, values = best(scores, tf.minimum(k, tf.shape(scores)[1] - 1))
    return tf.where(values > LOWEST, index, 0), values
