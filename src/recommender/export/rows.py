"""The features of all users, or of all movies, as a snapshot knows them: state of the exported model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.data.encode import Arrays
from recommender.data.features import FEATURES

Columns = Mapping[str, tf.Tensor]
FEATURE_OF = {column: feature for feature in FEATURES for column in feature.columns}


class FeatureRows(tf.Module):
    """Encoded columns by name; row = model index, row 0 = somebody or something of which nothing is known.

    Held as variables: constants would count towards the 2 GB that a graph may have.
    """

    def __init__(self, columns: Arrays) -> None:
        """Take the columns of a `Snapshot`, `(num_users, ...)` or `(num_movies, ...)`."""
        super().__init__()
        self._columns = {
            name: tf.Variable(_with_unknown(name, values), trainable=False, name=name)
            for name, values in columns.items()
        }

    def __call__(self, index: tf.Tensor) -> dict[str, tf.Tensor]:
        """The columns of the rows `index` int32 `(n,)`: each `(n, ...)`."""
        return {name: tf.gather(column, index) for name, column in self._columns.items()}


def _with_unknown(name: str, values: NDArray) -> NDArray:
    first = np.full_like(values, FEATURE_OF[name].missing, shape=(1, *values.shape[1:]))
    return np.concatenate([first, values])
