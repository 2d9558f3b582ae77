"""The ranking model: feature embedding layer + registered head + `tfrs.tasks.Ranking`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tensorflow_recommenders as tfrs

from recommender.config import RankingSettings
from recommender.data.features import select
from recommender.data.schema import Schema
from recommender.models import shrunk_deviations
from recommender.models.embedding import FeatureEmbedding
from recommender.models.heads import check_features
from recommender.models.heads.head import build_head
from recommender.models.movie_embedding import MovieContent, MovieEmbedding

INTERACTED = "interacted"  # the column that holds 1 for what a user rated and 0 for what was drawn


class RankingModel(tfrs.models.Model):
    """Predicts the rating of (user, movie) pairs, or the log-odds of a like or of an interaction.

    `objective` rating: squared error. like: cross-entropy of rating >= `like_threshold`. implicit:
    cross-entropy of whether the row is a rating or was drawn beside one (`INTERACTED`). Where counts and
    deviations of user and movie are among the features, the head corrects their closed form, unless it has
    one of its own.
    """

    def __init__(
        self, settings: RankingSettings, schema: Schema, content: MovieContent, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.objective = settings.objective
        self.schema = schema
        threshold = settings.like_threshold
        self.like_threshold = schema.liked_threshold if threshold is None else threshold
        features = select(settings.features, "ranking.features")
        check_features(settings.head, settings.features)
        self.embedding = FeatureEmbedding(
            features,
            schema,
            MovieEmbedding(schema, content, settings.embedding_size, settings.features, name="movies"),
            settings.unknown_user_rate,
            settings.unknown_movie_rate,
            name="embedding",
        )
        spec = self.embedding.spec._replace(content=content, rating_mean=schema.rating_mean)
        self.head = build_head(settings.head, settings.head_options, spec)
        known = set(settings.features) >= shrunk_deviations.FEATURES and not self.head.has_closed_form
        self.deviations = shrunk_deviations.ShrunkDeviations(schema, name="deviations") if known else None
        rating = settings.objective == "rating"
        losses = tf.keras.losses.MeanSquaredError if rating else tf.keras.losses.BinaryCrossentropy
        options = {} if rating else {"from_logits": True}
        predict = self.predict_rating if rating else self.predict_probability
        self.predictions = tf.function(predict, reduce_retracing=True)  # traced once, not once an epoch
        self.task = tfrs.tasks.Ranking(loss=losses(reduction="sum", **options))

    def call(self, features: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Scores `(batch,)`: expected ratings, or log-odds."""
        if training:
            features = self.embedding.forget(features)
        score = self.head(self.embedding(features), training=training)
        if self.deviations is not None:
            score += self.deviations(features)
        return score + self.schema.rating_mean if self.objective == "rating" else score

    def predict_rating(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Expected ratings `(batch,)`, within the rating scale."""
        return tf.clip_by_value(self(features), *self.schema.rating_scale)

    def predict_probability(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The probability of a like `(batch,)`; under `implicit` of a rating rather than one of the movies
        drawn beside it, and so only good for comparing."""
        return tf.sigmoid(self(features))

    def compute_loss(self, inputs: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Loss of a batch with its labels: sum over rows / global batch, so replicas add up to the mean.

        Labels are made of `rating`, or under `implicit` are `interacted`.
        """
        label = self._labels(inputs)
        scores = self(inputs, training=training)
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        global_batch = tf.cast(tf.shape(label)[0] * replicas, tf.float32)
        return self.task(labels=label[:, tf.newaxis], predictions=scores[:, tf.newaxis]) / global_batch

    def _labels(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        if self.objective == "implicit":
            return inputs[INTERACTED]
        rating = inputs["rating"]
        return rating if self.objective == "rating" else tf.cast(rating >= self.like_threshold, tf.float32)
