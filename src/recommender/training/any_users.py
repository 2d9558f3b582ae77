"""Functions of users' columns as one graph, however many users are asked about."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf

from recommender.data.encode import Arrays

Function = Callable[[Mapping[str, tf.Tensor]], tf.Tensor]


def for_any_users(function: Function, columns: Arrays) -> Function:
    """`function` traced once for any number of rows of `columns`; by shapes it would be traced for each."""
    rows = {name: tf.TensorSpec([None, *column.shape[1:]], column.dtype) for name, column in columns.items()}
    return tf.function(lambda users: function(users), input_signature=[rows])
