"""Declared features -> embeddings, numeric columns and the user's history: what every head works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from recommender.data.features import Feature
from recommender.data.schema import Schema
from recommender.models.movie_embedding import MovieContent, MovieEmbedding, known_or_zero

Columns = Mapping[str, tf.Tensor]


class History(NamedTuple):
    """The last rated movies of a user, newest first, zeros where padded."""

    movies: tf.Tensor  # (batch, length, embedding_size)
    ratings: tf.Tensor  # (batch, length), minus the training mean
    deviations: (
        tf.Tensor
    )  # (batch, length), from what others gave the movie, minus the user's own mean of them
    ages: tf.Tensor  # (batch, length), log(1 + days)
    mask: tf.Tensor  # (batch, length), 1 or 0


class Embedded(NamedTuple):
    """The inputs of a head."""

    embeddings: dict[str, tf.Tensor]  # name -> (batch, embedding_size)
    numeric: tf.Tensor  # (batch, number of numeric features), standardised, missing = 0
    history: History | None  # None where the model does not use it
    indices: dict[str, tf.Tensor]  # name -> (batch,), 0 = unknown; lists (batch, width), 0 = padding too
    columns: Columns  # the encoded columns that all of this was made of


class EmbeddedSpec(NamedTuple):
    """What an `Embedded` will hold, known before there is a batch."""

    features: tuple[Feature, ...]  # numeric ones in the order of the columns of `numeric`
    rows: dict[str, int]  # name of each of `indices` -> one more than its highest value
    embedding_size: int
    content: MovieContent | None = None  # of the catalogue; None where nobody has given it
    rating_mean: float = 0.0  # of the training split; scores in stars are above it


class FeatureEmbedding(tf.keras.layers.Layer):
    """Embeds the chosen features of a batch of encoded rows (see `encode_features`).

    Ids and categories get a table each, with row 0 for the unknown. All movies (the candidate, the history,
    the liked ones) share the layer `movies`, and all embeddings its size. Lists are averaged. `forget` shows
    a share `unknown_user_rate` of users as new people, without id and without history, and a share
    `unknown_movie_rate` of movies without their id: a model trained on what it returns learns what to say of
    those whom it has never seen.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        schema: Schema,
        movies: MovieEmbedding,
        unknown_user_rate: float = 0.0,
        unknown_movie_rate: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.features = {feature.name: feature for feature in features}
        self.schema = schema
        self.unknown_user_rate = unknown_user_rate
        self.unknown_movie_rate = unknown_movie_rate
        self.movies = movies
        self.tables = {
            name: tf.keras.layers.Embedding(rows, movies.embedding_size, name=name)
            for name, rows in self._rows().items()
        }

    @property
    def spec(self) -> EmbeddedSpec:
        """What this layer returns."""
        rows = {name: len(values) + 1 for name, values in self.schema.categories.items()}
        rows |= {"user_id": self.schema.known_users + 1}
        rows |= dict.fromkeys(("movie_id", "liked_movies"), self.schema.known_movies + 1)
        rows |= dict.fromkeys(("genres", "top_genres"), len(self.schema.genres) + 1)
        return EmbeddedSpec(
            tuple(self.features.values()),
            {name: rows[name] for name in self._embedded()},
            self.movies.embedding_size,
        )

    def _embedded(self) -> dict[str, Feature]:
        """The features that are looked up in tables; the history is embedded, but not pooled."""
        return {
            name: feature
            for name, feature in self.features.items()
            if feature.kind != "numeric" and name != "history"
        }

    def _rows(self) -> dict[str, int]:
        """Rows of each embedding table but the movies', 0 included."""
        rows = {name: len(values) for name, values in self.schema.categories.items() if name in self.features}
        if "user_id" in self.features:
            rows["user_id"] = self.schema.known_users
        if {"genres", "top_genres"} & self.features.keys():
            rows["genre"] = len(self.schema.genres)
        return {name: count + 1 for name, count in sorted(rows.items())}

    def call(self, inputs: Columns) -> Embedded:
        """Embed a batch: encoded columns by name, first dimension = batch."""
        embedded = self._embedded()
        embeddings = {name: self._embed(feature, inputs[name]) for name, feature in embedded.items()}
        indices = {name: self._index(feature, inputs[name]) for name, feature in embedded.items()}
        history = self._history(inputs) if "history" in self.features else None
        return Embedded(embeddings, self._numeric(inputs), history, indices, inputs)

    def _embed(self, feature: Feature, index: tf.Tensor) -> tf.Tensor:
        if feature.name == "movie_id":
            return self.movies(index)
        if feature.name == "user_id":
            return self.tables["user_id"](self._index(feature, index))
        if feature.kind == "categorical":
            return self.tables[feature.name](index)
        table = self.movies if feature.kind == "sequence" else self.tables["genre"]
        return masked_mean(table(index), tf.cast(index > 0, tf.float32))

    def _index(self, feature: Feature, index: tf.Tensor) -> tf.Tensor:
        """Users and movies that training has not seen are unknown."""
        if feature.name == "user_id":
            return known_or_zero(index, self.schema.known_users)
        is_movie = feature.name == "movie_id" or feature.kind == "sequence"
        return known_or_zero(index, self.schema.known_movies) if is_movie else index

    def forget(self, inputs: Columns) -> dict[str, tf.Tensor]:
        """Show some users as new people and some movies as unknown: for training only."""
        batch = tf.shape(next(iter(inputs.values())))[0]
        keep_user = tf.random.uniform([batch]) >= self.unknown_user_rate
        keep_movie = tf.random.uniform([batch]) >= self.unknown_movie_rate
        shown = dict(inputs)
        for name, feature in self.features.items():
            for column in feature.columns:
                if name == "user_id" or feature.source == "user_history":
                    shown[column] = _where_rows(keep_user, inputs[column], missing=feature.missing)
                elif name == "movie_id":
                    shown[column] = _where_rows(keep_movie, inputs[column], missing=0)
        return shown

    def _numeric(self, inputs: Columns) -> tf.Tensor:
        """Numeric columns on the scale of the training split; a missing value takes its mean."""
        numeric = [feature for feature in self.features.values() if feature.kind == "numeric"]
        columns = [self._standardise(inputs[feature.name], feature) for feature in numeric]
        batch = tf.shape(next(iter(inputs.values())))[0]
        return tf.stack(columns, axis=1) if columns else tf.zeros(tf.stack([batch, 0]))

    def _standardise(self, values: tf.Tensor, feature: Feature) -> tf.Tensor:
        mean, stddev = self.schema.numeric[feature.name]
        values = tf.math.log1p(values) if feature.log else values
        # A distant value (a user with thousands of ratings) must not leave the range that training has seen.
        standardised = tf.clip_by_value((values - mean) / stddev, -5.0, 5.0)
        return tf.where(tf.math.is_nan(values), 0.0, standardised)

    def _history(self, inputs: Columns) -> History:
        mask = tf.cast(inputs["history_movies"] > 0, tf.float32)
        deviations = inputs["history_deviations"]
        # One more than the number of ratings: the mean of a short history is drawn towards 0.
        mean = tf.reduce_sum(deviations, axis=1, keepdims=True) / (
            1.0 + tf.reduce_sum(mask, axis=1, keepdims=True)
        )
        return History(
            movies=self.movies(inputs["history_movies"]),
            ratings=(inputs["history_ratings"] - self.schema.rating_mean) * mask,
            deviations=(deviations - mean) * mask,
            ages=tf.math.log1p(inputs["history_ages"] / 86_400.0) * mask,
            mask=mask,
        )


def masked_mean(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Mean over axis 1 of `values` `(batch, length, size)` where `mask` `(batch, length)` is 1, else 0."""
    total = tf.reduce_sum(values * mask[:, :, tf.newaxis], axis=1)
    return total / tf.maximum(tf.reduce_sum(mask, axis=1, keepdims=True), 1.0)


def _where_rows(keep: tf.Tensor, values: tf.Tensor, missing: float) -> tf.Tensor:
    """`values` in the rows to keep, `missing` in the others."""
    rows = tf.reshape(keep, tf.concat([tf.shape(keep), tf.ones([tf.rank(values) - 1], tf.int32)], axis=0))
    return tf.where(rows, values, tf.cast(missing, values.dtype))
