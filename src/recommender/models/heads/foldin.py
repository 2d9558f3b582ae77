"""`foldin`: the user as a regression on their own ratings, solved anew for every candidate."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
import tensorflow as tf
from pydantic import Field

from recommender.config import Positive, Rate
from recommender.models.dense_layers import DenseLayers
from recommender.models.embedding import Embedded, History
from recommender.models.factor_table import FactoredMovies, FactorTable
from recommender.models.heads.head import Activation, Head, Penalty, Sizes, register_head
from recommender.models.rating_precision import RatingPrecision
from recommender.models.ridge_fold_in import FoldedIn, RidgeFoldIn
from recommender.models.shared_rows import weighted_sum
from recommender.models.updated_bias import UpdatedBias

FOLD = "fold"  # the column of training rows that says which table does not know their user
RATING = "rating"  # their column that holds what the closed form should come to
MEMORIES = (3.0, 15.0, 60.0)  # ratings after which a mood has faded to 1/e
NOW = np.array([*[1.0] * len(MEMORIES), 0.0], np.float32)

Folds = Annotated[int, Field(ge=2)]


@register_head("foldin")
class FoldInHead(Head):
    """Factors of movies fitted beforehand, coefficients of users in closed form, a network that corrects.

    The ratings of the history, less the bias of their movies, are regressed on the movies' factors, content,
    popularity and bias and on time (`RidgeFoldIn`), each rating as far as it says something about the
    candidate (`RatingPrecision`). Who the user is and what they choose to rate give the prior mean (the
    latter: Koren 2008, Factorization meets the neighborhood). The prediction is the candidate's bias,
    brought up to date (`UpdatedBias`), plus that regression, plus dense layers over embeddings, numbers and
    the outcome of the regression. In training the squared error of the closed form counts too, `stars` times
    as much as the objective: a like or no like says less than a rating does.

    `factors` per movie are fitted before training in `iterations` passes, once with all users and once
    without each of `folds` shares of them; a training row looks movies up in the fit without its own user.
    """

    has_closed_form: ClassVar[bool] = True
    shares_history: ClassVar[bool] = True

    def __init__(
        self,
        factors: Positive = 20,
        iterations: Positive = 20,
        folds: Folds = 5,
        hidden: Sizes = (64, 32),
        activation: Activation = "swish",
        dropout: Rate = 0.3,
        stars: Penalty = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.iterations = iterations
        self.folds = folds
        self.stars = stars
        assert self.spec.content is not None, "a head of a RankingModel"
        self.movies = FactorTable(self.spec.content, factors, folds, name="movies")
        self.updated_bias = UpdatedBias(self.movies.num_rows, name="updated_bias")
        content = self.movies.content.shape[1]
        times = 1 + len(MEMORIES)
        # Standard deviations of a user's coefficients, as ml-100k has them, roughly: of the mean, popularity,
        # bias, factors, content, time.
        scales = [0.27, 0.2, 0.18, *[0.95] * factors, *[0.12] * content, *[0.13] * times]
        self.regression = RidgeFoldIn(scales, name="regression")
        self.precision = RatingPrecision(name="precision")
        self.of_people = tf.keras.layers.Dense(len(scales), kernel_initializer="zeros", name="of_people")
        self.of_choice = tf.keras.layers.Dense(len(scales), kernel_initializer="zeros", name="of_choice")
        self.deep = DenseLayers(hidden, activation, dropout, name="deep")
        self.score = tf.keras.layers.Dense(1, kernel_initializer="zeros", name="score")
        numeric = [feature for feature in self.spec.features if feature.kind == "numeric"]
        of_people = [i for i, feature in enumerate(numeric) if feature.source == "user"]
        self.numbers_of_people = np.array(of_people, np.int32)

    def build(self, input_shape: Any) -> None:
        """Create the weight of all biases, and that of the whole, which turns stars into log-odds."""
        self.slope = self.add_weight("slope", (), initializer="ones")
        self.scale = self.add_weight("scale", (), initializer="ones")

    def call(self, inputs: Embedded, training: bool = False) -> tf.Tensor:
        """Score each row: `(batch,)`."""
        history, fold = inputs.history, inputs.columns.get(FOLD)
        assert history is not None, "among the features that this head requires"
        candidate = self.movies(inputs.columns["movie_id"], fold)
        rated = self.movies(inputs.columns["history_movies"], fold)
        target = (history.ratings - self.slope * rated.bias) * history.mask  # (batch, length)
        folded = self._fold_in(self._people(inputs), history, target, rated, candidate)
        bias = self.slope * self.updated_bias(candidate, inputs.columns)
        outcome = _outcome(bias, target, folded, candidate, history)
        known = tf.concat([outcome, *inputs.embeddings.values(), inputs.numeric], axis=1)
        correction = tf.squeeze(self.score(self.deep(known, training=training)), axis=1)
        closed_form = bias + folded.prediction
        if training and RATING in inputs.columns:
            error = inputs.columns[RATING] - self.spec.rating_mean - closed_form
            replicas = tf.distribute.get_strategy().num_replicas_in_sync
            self.add_loss(self.stars * tf.reduce_mean(tf.square(error)) / replicas)
        return self.scale * closed_form + correction

    def _fold_in(
        self,
        people: tf.Tensor,
        history: History,
        target: tf.Tensor,
        rated: FactoredMovies,
        candidate: FactoredMovies,
    ) -> FoldedIn:
        of_rated = rated.columns()
        times = _times(history)
        columns = tf.concat([of_rated, times], axis=2)  # (batch, length, columns)
        precision = self.precision(target, rated, candidate, history)
        choice = weighted_sum(of_rated, history.mask)
        choice /= 20.0 + tf.reduce_sum(history.mask, axis=1, keepdims=True)
        prior_mean = self.of_people(people) + self.of_choice(choice)
        now = tf.tile(NOW[tf.newaxis], [tf.shape(candidate.bias)[0], 1])
        wanted = tf.concat([candidate.columns(), now], axis=1)
        return self.regression(columns, target, precision, wanted, prior_mean)

    def _people(self, inputs: Embedded) -> tf.Tensor:
        """What is known of users before they rate: categories one-hot, and numbers; `(batch, any)`."""
        categories = [
            tf.one_hot(inputs.indices[feature.name], self.spec.rows[feature.name])
            for feature in self.spec.features
            if feature.kind == "categorical"
        ]
        numbers = tf.gather(inputs.numeric, self.numbers_of_people, axis=1)
        people = tf.concat([*categories, numbers], axis=1)
        # oneDNN aborts the process when it multiplies with nothing.
        return people if people.shape[1] else tf.zeros([tf.shape(people)[0], 1])


def _times(history: History) -> tf.Tensor:
    """Columns of time `(batch, length, 4)`; those of the candidate are `NOW`.

    Moods that fade with the number of ratings since, 1 now, and the logarithm of the age, 0 now.
    """
    place = tf.range(1, tf.shape(history.mask)[1] + 1, dtype=tf.float32) + tf.zeros_like(history.mask)
    moods = tf.exp(-place[:, :, tf.newaxis] / tf.constant(MEMORIES))
    minutes = tf.math.log1p(tf.math.expm1(history.ages) * 1440.0)  # ages are log(1 + days)
    return tf.concat([moods, minutes[:, :, tf.newaxis] / 10.0], axis=2)


def _outcome(
    bias: tf.Tensor, target: tf.Tensor, folded: FoldedIn, candidate: FactoredMovies, history: History
) -> tf.Tensor:
    """What the dense layers see of the regression: `(batch, 8)`."""
    count = tf.reduce_sum(history.mask, axis=1) + tf.zeros_like(bias)  # (batch,), of a shared history too

    def mean(values: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(values * history.mask, axis=1) / (count + 5.0)

    numbers = [
        bias + folded.prediction,
        folded.variance,
        bias,
        candidate.bias_variance,
        candidate.log_count,
        tf.math.log1p(count) / 5.0,
        mean(tf.square(target)),
        mean(tf.square(folded.residuals)),
    ]
    return tf.stack(numbers, axis=1)
