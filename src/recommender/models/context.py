"""Features of the second of a request, in the graph; the same formulas as `features.sql`."""

from __future__ import annotations

import math

import tensorflow as tf

SECONDS_PER_DAY = 86_400
SECONDS_PER_WEEK = 7 * SECONDS_PER_DAY


def context_at(timestamp: tf.Tensor) -> dict[str, tf.Tensor]:
    """The context features at the seconds `timestamp` int64 `(n,)`: hour of the day and day of the week,
    cyclic."""
    # The epoch began on a Thursday, day 4 of a week that starts on Sunday.
    weekday = timestamp + 4 * SECONDS_PER_DAY
    return {
        **_cyclic("hour", timestamp, SECONDS_PER_DAY),
        **_cyclic("weekday", weekday, SECONDS_PER_WEEK),
    }


def _cyclic(name: str, seconds: tf.Tensor, period: int) -> dict[str, tf.Tensor]:
    angle = 2 * math.pi * tf.cast(seconds % period, tf.float64) / period
    return {
        f"{name}_sin": tf.cast(tf.sin(angle), tf.float32),
        f"{name}_cos": tf.cast(tf.cos(angle), tf.float32),
    }
