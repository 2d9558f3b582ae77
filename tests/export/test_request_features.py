"""The graph and the feature SQL must say the same of the same user, movie and second."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from recommender.data.encode import encode_features
from recommender.data.features import FEATURES
from recommender.export.request_features import users_at
from recommender.export.rows import FeatureRows
from recommender.models.context import context_at


@pytest.mark.parametrize("passed", [0, 1, 3_599, 86_400, 10_000_001])
def test_features_at_a_second_after_the_snapshot_equal_the_feature_sql(
    prepared, offline_rows, passed: int
) -> None:
    generator = np.random.default_rng(passed)
    users, movies = generator.integers(0, 120, 50), generator.integers(0, 80, 50)
    snapshot = prepared.snapshot("serving")
    timestamp = tf.fill([50], tf.constant(snapshot.timestamp + passed, tf.int64))
    online = {
        **users_at(FeatureRows(snapshot.users)(users + 1), snapshot.timestamp, timestamp),
        **FeatureRows(snapshot.movies)(movies + 1),
        **context_at(timestamp),
    }
    table = offline_rows(users, movies, snapshot.timestamp + passed)
    offline = encode_features(table, FEATURES, prepared.schema)
    assert online.keys() == offline.keys()
    for name, expected in offline.items():
        assert online[name].dtype == expected.dtype, name
        np.testing.assert_allclose(online[name], expected, rtol=1e-6, atol=1e-6, err_msg=name)


def test_context_features_equal_the_feature_sql_over_a_week(prepared, offline_rows) -> None:
    moment = prepared.snapshot("serving").timestamp
    timestamps = np.arange(moment, moment + 8 * 86_400, 3 * 3_600 + 11)
    nobody = [0] * len(timestamps)
    table = offline_rows(nobody, nobody, timestamps)
    for name, values in context_at(tf.constant(timestamps)).items():
        np.testing.assert_allclose(values, table[name], atol=1e-6, err_msg=name)
        assert np.ptp(values) > 1.8


def test_ages_do_not_fall_below_zero_before_the_snapshot(prepared) -> None:
    snapshot = prepared.snapshot("serving")
    users = FeatureRows(snapshot.users)(np.arange(121))
    long_ago = tf.zeros([121], tf.int64)
    moved = users_at(users, snapshot.timestamp, long_ago)
    assert (moved["history_ages"].numpy() == 0).all()
    assert (moved["days_since_first"].numpy()[1:] == 0).all()


def test_a_user_without_history_stays_without_history(prepared) -> None:
    snapshot = prepared.snapshot("serving")
    nobody = FeatureRows(snapshot.users)(tf.constant([0]))
    later = tf.constant([snapshot.timestamp + 1_000], tf.int64)
    moved = users_at(nobody, snapshot.timestamp, later)
    assert (moved["history_ages"].numpy() == 0).all()
    assert np.isnan(moved["days_since_first"].numpy()).all()
    assert moved["user_count"].numpy().tolist() == [0]
