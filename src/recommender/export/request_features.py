"""Features of users that move on with the second of the request; the same formulas as `features.sql`."""

from __future__ import annotations

import tensorflow as tf

from recommender.export.rows import Columns
from recommender.models.context import SECONDS_PER_DAY


def users_at(users: Columns, moment: int, timestamp: tf.Tensor) -> dict[str, tf.Tensor]:
    """Columns of users as a snapshot knew them at `moment` -> the same at the seconds `timestamp` `(n,)`.

    Time passes, nothing else happens: ages and days_since_first grow. They do not fall below 0 for a request
    from before the snapshot, which also does not forget what was rated since.
    """
    passed = timestamp - moment
    moved = dict(users)
    if "history_ages" in users:
        there = users["history_movies"] > 0
        ages = _grown(users["history_ages"], tf.cast(passed, tf.float64)[:, tf.newaxis])
        moved["history_ages"] = tf.where(there, ages, 0.0)
    if "days_since_first" in users:
        days = tf.cast(passed, tf.float64) / SECONDS_PER_DAY
        moved["days_since_first"] = _grown(users["days_since_first"], days)
    return moved


def _grown(values: tf.Tensor, by: tf.Tensor) -> tf.Tensor:
    """`values + by`, at least 0; NaN stays NaN."""
    grown = tf.cast(values, tf.float64) + by
    return tf.cast(tf.where(grown < 0, tf.zeros_like(grown), grown), tf.float32)
