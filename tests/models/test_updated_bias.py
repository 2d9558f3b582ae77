from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from recommender.models.factor_table import FactoredMovies
from recommender.models.updated_bias import UpdatedBias

BIAS, VARIANCE, NOISE, OFFSET = 0.4, 0.1, 0.8, 0.25
AT_END = np.array([0.5, -0.2, 0.1])  # three ratings of movie 2 until training ended, as deviations


def movies(n: int) -> FactoredMovies:
    nothing = tf.zeros([n])
    return FactoredMovies(
        tf.fill([n], BIAS), tf.zeros([n, 2]), tf.fill([n], VARIANCE), nothing, nothing, tf.zeros([n, 1])
    )


def columns(seen: list[np.ndarray]) -> dict[str, tf.Tensor]:
    """Features of movie 2 after these ratings in all."""
    return {
        "movie_id": tf.constant([2] * len(seen)),
        "movie_count": tf.constant([float(len(ratings)) for ratings in seen]),
        "movie_deviation": tf.constant(
            [np.mean(ratings) if len(ratings) else np.nan for ratings in seen], tf.float32
        ),
    }


@pytest.fixture
def updated() -> UpdatedBias:
    layer = UpdatedBias(4)
    layer.assign([0.0, 0.0, 3.0, 0.0], [0.0, 0.0, AT_END.mean(), 0.0], OFFSET, NOISE)
    return layer


def test_it_is_the_posterior_given_the_ratings_since_training(updated) -> None:
    since = np.array([1.0, 0.3, 0.8, 0.9])
    found = updated(movies(1), columns([np.concatenate([AT_END, since])]))
    mean, variance = BIAS, VARIANCE
    for deviation in since:  # one rating after the other
        gain = variance / (variance + NOISE)
        mean, variance = mean + gain * (deviation + OFFSET - mean), variance * (1 - gain)
    assert found[0].numpy() == pytest.approx(mean, rel=1e-5)


def test_a_bias_stays_without_new_ratings_and_before_training_ended(updated) -> None:
    found = updated(movies(3), columns([AT_END, AT_END[:2], AT_END[:0]]))
    np.testing.assert_array_equal(found, np.full(3, BIAS, np.float32))


def test_a_bias_stays_where_nobody_said_when_training_ended() -> None:
    found = UpdatedBias(4)(movies(1), columns([np.ones(50)]))
    np.testing.assert_array_equal(found, np.float32([BIAS]))


def test_a_bias_stays_where_the_model_has_not_these_features(updated) -> None:
    np.testing.assert_array_equal(updated(movies(1), {"movie_id": tf.constant([2])}), np.float32([BIAS]))
