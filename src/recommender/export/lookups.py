"""String -> index tables that live in the graph, so that a SavedModel depends on no file beside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf


class Lookup(tf.Module):
    """Maps strings to int32 indices; the empty string and one that is not among the keys are 0."""

    def __init__(self, keys: Iterable[Any], indices: Iterable[int] | None = None) -> None:
        """Map each key, str or bytes, to its index, by default its place in `keys` counted from 1."""
        super().__init__()
        keys = ["", *keys]  # a table must not be empty, and data without demographics has no categories
        values = range(len(keys)) if indices is None else [0, *indices]
        initializer = tf.lookup.KeyValueTensorInitializer(keys, list(values), tf.string, tf.int32)
        self._table = tf.lookup.StaticHashTable(initializer, default_value=0)

    def __call__(self, keys: tf.Tensor) -> tf.Tensor:
        """Indices of a string tensor, of the same shape."""
        return self._table.lookup(keys)
