"""What every hand-written model of `minimal_heads.py` shares: inputs, embeddings, history, score."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from recommender.config import Settings
from recommender.data.encode import Arrays
from recommender.data.features import Feature, select
from recommender.data.prepared import Prepared
from recommender.models.movie_embedding import movie_content

layers = tf.keras.layers


class Columns:
    """The inputs of one model and what every head begins with."""

    def __init__(self, settings: Settings, prepared: Prepared, arrays: Arrays) -> None:
        self.schema, self.size = prepared.schema, settings.ranking.embedding_size
        self.movies = prepared.movies
        self.features = select(settings.ranking.features, "ranking.features")
        self.names = {feature.name for feature in self.features}
        self.inputs = {
            name: tf.keras.Input(values.shape[1:], dtype=values.dtype, name=name)
            for name, values in arrays.items()
            if name != "rating"
        }
        content = movie_content(prepared.movies, self.schema)
        parts = [
            getattr(content, part)
            for part, name in (("genres", "genres"), ("year", "release_year"))
            if name in self.names
        ]
        self.content = np.concatenate(parts, axis=1) if parts else None
        self.projection = layers.Dense(self.size, use_bias=False)
        self.movie_table = layers.Embedding(self.schema.known_movies + 1, self.size)
        self.genre_table = layers.Embedding(len(self.schema.genres) + 1, self.size)
        self.rows = self._rows()
        self.embeddings = {name: self._embed(feature) for name, feature in self._looked_up().items()}
        self.numeric = self._numeric()
        self.history = self._history() if "history" in self.names else None

    def movie(self, index: tf.Tensor) -> tf.Tensor:
        """The vectors of movies: id, genres and year."""
        vector = self.movie_table(index)
        return vector if self.content is None else vector + self.projection(tf.gather(self.content, index))

    def fields(self) -> list[tf.Tensor]:
        """The embeddings and the deviation-weighted sum of the rated movies."""
        found = list(self.embeddings.values())
        if self.history is not None:
            movies, deviations, _, mask = self.history
            total = tf.einsum("bl,bld->bd", deviations, movies)
            found.append(total / tf.sqrt(1.0 + tf.reduce_sum(mask, axis=1, keepdims=True)))
        return found

    def joined(self) -> tf.Tensor:
        """Everything side by side."""
        return tf.concat([*self.fields(), self.numeric], axis=1)

    def one_hot(self, names: list[str]) -> tf.Tensor:
        """A weight for every id and category."""
        total: Any = 0.0
        penalty = tf.keras.regularizers.L2(1e-5)
        for name in names:
            table = layers.Embedding(
                self.rows[name], 1, embeddings_initializer="zeros", embeddings_regularizer=penalty
            )
            weights, index = table(self.inputs[name])[..., 0], self.inputs[name]
            if len(index.shape) == 2:
                weights = tf.reduce_sum(tf.where(index > 0, weights, 0.0), axis=1)
            total = total + weights
        return total

    def model(self, score: tf.Tensor) -> tf.keras.Model:
        """The finished model: the head's score on top of shrunken deviations and the mean."""
        inputs = self.inputs
        if {"user_count", "user_deviation", "movie_count", "movie_deviation"} <= self.names:
            for side in ("user", "movie"):
                score = score + Shrunken(self.schema.numeric[f"{side}_deviation"][0])(
                    inputs[f"{side}_count"], inputs[f"{side}_deviation"]
                )
        model = tf.keras.Model(inputs, score + self.schema.rating_mean)
        model.compile(optimizer=tf.keras.optimizers.Adam(3e-3), loss="mse")
        return model

    def _looked_up(self) -> dict[str, Feature]:
        return {
            feature.name: feature
            for feature in self.features
            if feature.kind != "numeric" and feature.name != "history"
        }

    def _rows(self) -> dict[str, int]:
        rows = {name: len(values) + 1 for name, values in self.schema.categories.items()}
        rows |= {"user_id": self.schema.known_users + 1}
        rows |= dict.fromkeys(("movie_id", "liked_movies"), self.schema.known_movies + 1)
        return rows | dict.fromkeys(("genres", "top_genres"), len(self.schema.genres) + 1)

    def _embed(self, feature: Feature) -> tf.Tensor:
        index = self.inputs[feature.name]
        if feature.name == "movie_id":
            return self.movie(index)
        if feature.kind in ("id", "categorical"):
            return layers.Embedding(self.rows[feature.name], self.size)(index)
        vectors = self.movie(index) if feature.kind == "sequence" else self.genre_table(index)
        mask = tf.cast(index > 0, tf.float32)[:, :, None]
        return tf.reduce_sum(vectors * mask, axis=1) / tf.maximum(tf.reduce_sum(mask, axis=1), 1.0)

    def _numeric(self) -> tf.Tensor:
        columns = []
        for feature in self.features:
            if feature.kind == "numeric":
                mean, stddev = self.schema.numeric[feature.name]
                values = self.inputs[feature.name]
                values = ((tf.math.log1p(values) if feature.log else values) - mean) / stddev
                columns.append(tf.where(tf.math.is_nan(values), 0.0, tf.clip_by_value(values, -5.0, 5.0)))
        anything = next(iter(self.embeddings.values()))
        return tf.stack(columns, axis=1) if columns else anything[:, :0]

    def _history(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Movies, deviations from the user's own mean, ages and mask."""
        index, deviations = self.inputs["history_movies"], self.inputs["history_deviations"]
        mask = tf.cast(index > 0, tf.float32)
        count = 1.0 + tf.reduce_sum(mask, axis=1, keepdims=True)
        deviations = (deviations - tf.reduce_sum(deviations, axis=1, keepdims=True) / count) * mask
        ages = tf.math.log1p(self.inputs["history_ages"] / 86_400.0) * mask
        return self.movie(index), deviations, ages, mask


class Shrunken(layers.Layer):
    """weight * n / (n + prior) * deviation."""

    def __init__(self, mean: float) -> None:
        super().__init__()
        self.mean = mean
        self.scale = self.add_weight("scale", (), initializer="ones")
        self.prior = self.add_weight("prior", (), initializer="ones")

    def call(self, count: tf.Tensor, deviation: tf.Tensor) -> tf.Tensor:
        """`(batch,)`."""
        known = (count > 0) & ~tf.math.is_nan(deviation)
        return self.scale * count / (count + tf.exp(self.prior)) * tf.where(known, deviation - self.mean, 0.0)
