"""One representation of a movie wherever it appears: its id, and what is known before anybody rates it."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import tensorflow as tf
from numpy.typing import NDArray

from recommender.data.schema import Schema


class MovieContent(NamedTuple):
    """What is known of every movie of the catalogue; row = code + 1, row 0 = padding."""

    genres: NDArray[np.float32]  # (num_movies + 1, num_genres), rows of length 1 or 0
    year: NDArray[np.float32]  # (num_movies + 1, 1), standardised, 0 = unknown


def movie_content(movies: pd.DataFrame, schema: Schema) -> MovieContent:
    """Genres and release year of the movies, in the order of their codes."""
    code = {genre: index for index, genre in enumerate(schema.genres)}
    genres = np.zeros((len(movies) + 1, len(code)), np.float32)
    for row, names in enumerate(movies["genres"], start=1):
        for name in names:
            genres[row, code[name]] = 1 / np.sqrt(len(names))
    mean, stddev = schema.numeric["release_year"]
    year = ((movies["release_year"].astype("Float32") - mean) / stddev).fillna(0.0).to_numpy(np.float32)
    return MovieContent(genres, np.concatenate([[0.0], year]).astype(np.float32)[:, np.newaxis])


class MovieEmbedding(tf.keras.layers.Layer):
    """index -> id embedding + projection of genres and release year, `(..., embedding_size)`.

    An index is code + 1. A movie without a training rating has no id embedding of its own, only its content.
    `features` says which of movie_id, genres and release_year count.
    """

    def __init__(
        self,
        schema: Schema,
        content: MovieContent,
        embedding_size: int,
        features: Container[str],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.known = schema.known_movies
        self.embedding_size = embedding_size
        self.id = tf.keras.layers.Embedding(self.known + 1, embedding_size, name="movie_id")
        parts = [
            values
            for name, values in (("genres", content.genres), ("release_year", content.year))
            if name in features
        ]
        self.content = np.concatenate(parts, axis=1) if parts else None
        self.projection = (
            tf.keras.layers.Dense(embedding_size, use_bias=False, name="content") if parts else None
        )

    def call(self, index: tf.Tensor) -> tf.Tensor:
        """Embed movies: int `(...)` -> `(..., embedding_size)`."""
        embedding = self.id(known_or_zero(index, self.known))
        if self.projection is None:
            return embedding
        return embedding + self.projection(tf.gather(tf.constant(self.content), index))


def known_or_zero(index: tf.Tensor, known: int) -> tf.Tensor:
    """Indices up to `known`, 0 for those whom training has not seen."""
    return tf.where(index <= known, index, 0)
