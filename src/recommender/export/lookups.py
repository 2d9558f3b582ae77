"""String -> index tables that live in the graph, so that a SavedModel depends on no file beside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf


class Lookup(tf.Module):
    """Maps strings to int32 indices; a string that is not among the keys is 0."""

    def __init__(self, keys: Iterable[Any], indices: Iterable[int] | None = None) -> None:
        """Map each key, str or bytes, to its index, by default its place in `keys` counted from 1."""
        super().__init__()
        keys = list(keys)
        values = range(1, len(keys) + 1) if indices is None else indices
        self._table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(keys, tf.string), tf.constant(list(values), tf.int32)
            ),
            default_value=0,
        )

    def __call__(self, keys: tf.Tensor) -> tf.Tensor:
        """Indices of a string tensor, of the same shape."""
        return self._table.lookup(keys)
