"""A head's inputs of random numbers, small enough to compute what the head says by hand."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from recommender.data.features import BY_NAME
from recommender.models.embedding import Embedded, EmbeddedSpec, History

BATCH, LENGTH, SIZE = 3, 5, 4
NUMERIC = ("age", "movie_count")
ROWS = {"user_id": 6, "gender": 3, "movie_id": 8, "genres": 5, "liked_movies": 8}
LENGTHS = (0, 1, 5)  # of the three rows' histories
SPEC = EmbeddedSpec(
    tuple(BY_NAME[name] for name in ("user_id", *NUMERIC, *list(ROWS)[1:], "history")), ROWS, SIZE
)

RANDOM = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def tiny_history() -> History:
    mask = (np.arange(LENGTH) < np.array(LENGTHS)[:, None]).astype(np.float32)
    movies = normal(BATCH, LENGTH, SIZE)  # padding has an embedding too: the mask must keep it out
    deviations, ages = normal(BATCH, LENGTH) * mask, np.abs(normal(BATCH, LENGTH)) * mask
    return History(*map(tf.constant, (movies, deviations, deviations, ages, mask)))


def tiny_embedded() -> Embedded:
    indices = {
        "user_id": [1, 5, 0],
        "gender": [0, 1, 2],
        "movie_id": [1, 7, 3],
        "genres": [[1, 0], [2, 4], [0, 0]],
        "liked_movies": [[0, 0], [2, 3], [1, 0]],
    }
    return Embedded(
        {name: tf.constant(normal(BATCH, SIZE)) for name in ROWS},
        tf.constant(normal(BATCH, len(NUMERIC))),
        tiny_history(),
        {name: tf.constant(index, tf.int32) for name, index in indices.items()},
        {},
    )


def dense(layer: tf.keras.layers.Dense, x: np.ndarray) -> np.ndarray:
    """A dense layer without its activation, by hand."""
    product = x @ layer.kernel.numpy()
    return product + layer.bias.numpy() if layer.use_bias else product


def relu_layers(layers: list[tf.keras.layers.Dense], x: np.ndarray) -> np.ndarray:
    for layer in layers:
        x = np.maximum(dense(layer, x), 0)
    return x


def side_by_side(inputs: Embedded) -> np.ndarray:
    """Embeddings, the taste and numeric columns in a row, as networks see them: `(batch, any)`."""
    return np.concatenate(
        [*(value.numpy() for value in inputs.embeddings.values()), taste(inputs), inputs.numeric], 1
    )


def taste(inputs: Embedded) -> np.ndarray:
    return np.stack(
        [
            sum(
                inputs.history.deviations[row, i].numpy() * inputs.history.movies[row, i].numpy()
                for i in range(n)
            )
            / np.sqrt(1 + n)
            + np.zeros(SIZE, np.float32)
            for row, n in enumerate(LENGTHS)
        ]
    )
