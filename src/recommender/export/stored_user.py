"""One user's features as a feature store holds them: names and strings, not codes."""

from __future__ import annotations

import tensorflow as tf

from recommender.data.features import FEATURES, Feature
from recommender.data.schema import Schema
from recommender.export.lookups import Lookup
from recommender.export.movie_names import MovieNames
from recommender.export.rows import Columns

USER_FEATURES = tuple(feature for feature in FEATURES if feature.source in ("user", "user_history"))


def stored_user_specs() -> dict[str, tf.TensorSpec]:
    """What a request must give: every column of the user's features, as of the second of the request.

    Strings `[1]` for user_id and categories ("" = missing), floats `[1]` for numbers (NaN = missing), lists
    `[1, any length]`: genre names, movie ids (newest first), and beside the history its ratings, deviations
    and ages in seconds.
    """
    return {
        column: tf.TensorSpec(
            [1, None] if feature.kind in ("multi_categorical", "sequence") else [1],
            tf.string if _is_string(feature, column) else tf.float32,
            column,
        )
        for feature in USER_FEATURES
        for column in feature.columns
    }


class StoredUser(tf.Module):
    """Turns the inputs of `stored_user_specs` into encoded columns, as `encode_features` makes them."""

    def __init__(self, schema: Schema, users: Lookup, movies: MovieNames) -> None:
        super().__init__()
        self._users = users
        self._movies = movies
        self._categories = {name: Lookup(values) for name, values in schema.categories.items()}
        self._genres = Lookup(schema.genres)
        self._widths = {
            "top_genres": schema.top_genres,
            "liked_movies": schema.liked_length,
            "history": schema.history_length,
        }

    def encode(self, stored: Columns) -> dict[str, tf.Tensor]:
        """Encoded columns, `(1, ...)`. Movies and genres that the model does not know count as padding."""
        encoded = {
            column: self._encode(feature, column, stored[column])
            for feature in USER_FEATURES
            for column in feature.columns
        }
        known = encoded["history_movies"] > 0
        for column in ("history_ratings", "history_deviations", "history_ages"):
            encoded[column] = tf.where(known, encoded[column], 0.0)
        return encoded

    def _encode(self, feature: Feature, column: str, values: tf.Tensor) -> tf.Tensor:
        if feature.kind == "id":
            return self._users(values)
        if feature.kind == "categorical":
            return self._categories[feature.name](values)
        if feature.kind == "numeric":
            return values
        if feature.kind == "multi_categorical":
            values = self._genres(values)
        elif column.endswith("_movies"):
            values = self._movies.by_id(values)
        return _fit(values, self._widths[feature.name])


def _is_string(feature: Feature, column: str) -> bool:
    return feature.kind != "numeric" and (feature.kind != "sequence" or column.endswith("_movies"))


def _fit(values: tf.Tensor, width: int) -> tf.Tensor:
    """The first `width` columns of `(n, any)`, filled up with zeros."""
    values = values[:, :width]
    filled = tf.pad(values, [[0, 0], [0, width - tf.shape(values)[1]]])
    return tf.ensure_shape(filled, [values.shape[0], width])
