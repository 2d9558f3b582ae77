"""Ids and titles of the catalogue: from what a request calls a movie to its index, and back in answers."""

from __future__ import annotations

import pandas as pd
import tensorflow as tf
from numpy.typing import NDArray

from recommender.export.lookups import Lookup
from recommender.export.titles import normalise_titles, title_lookup


class MovieNames(tf.Module):
    """`movies` (`movie_id`, `title`) and `num_ratings` `(num_movies,)` are in the order of codes."""

    def __init__(self, movies: pd.DataFrame, num_ratings: NDArray) -> None:
        super().__init__()
        self._by_id = Lookup(movies["movie_id"])
        self._by_title = title_lookup(movies["title"], num_ratings)
        self._ids = tf.Variable(["", *movies["movie_id"]], trainable=False, name="movie_ids")
        self._titles = tf.Variable(["", *movies["title"]], trainable=False, name="titles")

    def by_id(self, movie_ids: tf.Tensor) -> tf.Tensor:
        """Indices of ids, 0 = unknown."""
        return self._by_id(movie_ids)

    def by_title(self, titles: tf.Tensor) -> tf.Tensor:
        """Indices of titles, 0 = unknown; see `title_lookup` for the rule."""
        return self._by_title(normalise_titles(titles))

    def by_id_or_title(self, names: tf.Tensor) -> tf.Tensor:
        """Indices of what is an id or else a title, 0 = neither."""
        by_id = self.by_id(names)
        return tf.where(by_id > 0, by_id, self.by_title(names))

    def ids(self, index: tf.Tensor) -> tf.Tensor:
        """The ids of movies, "" where the index is 0."""
        return tf.gather(self._ids, index)

    def answer(self, index: tf.Tensor, scores: tf.Tensor) -> dict[str, tf.Tensor]:
        """The answer that names movies `index` `(n, k)` with their scores; empty names where the index is
        0."""
        return {
            "movie_ids": self.ids(index),
            "titles": tf.gather(self._titles, index),
            "scores": scores,
        }
