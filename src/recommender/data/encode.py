"""From a feature table to padded integer and float arrays, as models read them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from recommender.data.features import Feature
from recommender.data.schema import Schema

Arrays = dict[str, NDArray]


def encode_features(table: pa.Table, features: Sequence[Feature], schema: Schema) -> Arrays:
    """Arrays by column name, first dimension = rows.

    id: int32 `(n,)`, code + 1. categorical: int32 `(n,)`, 0 = missing or not in the vocabulary.
    multi_categorical: int32 `(n, width)`, genre code + 1, 0 = padding. numeric: float32 `(n,)`, NaN =
    missing. sequence: `(n, length)`, newest first, 0 = padding: movies int32, code + 1; ratings and
    deviations float32; ages float32, seconds.
    """
    return {
        column: _encode(table[column], feature, column, schema)
        for feature in features
        for column in feature.columns
    }


def _encode(values: pa.ChunkedArray, feature: Feature, column: str, schema: Schema) -> NDArray:
    if feature.kind == "id":
        return (values.to_numpy() + 1).astype(np.int32)
    if feature.kind == "categorical":
        vocabulary = pd.Index(schema.categories[feature.name])
        return (vocabulary.get_indexer(values.to_pandas()) + 1).astype(np.int32)
    if feature.kind == "numeric":
        return values.to_numpy().astype(np.float32)
    if feature.kind == "multi_categorical":
        width = schema.top_genres if feature.name == "top_genres" else schema.genres_per_movie
        codes, present = pad(values, width)
        return np.where(present, codes + 1, 0).astype(np.int32)
    length = schema.liked_length if feature.name == "liked_movies" else schema.history_length
    items, present = pad(values, length, newest_first=True)
    if column.endswith("_movies"):
        return np.where(present, items + 1, 0).astype(np.int32)
    return np.where(present, items, 0).astype(np.float32)


def pad(lists: pa.ChunkedArray, width: int, newest_first: bool = False) -> tuple[NDArray, NDArray[np.bool_]]:
    """A list column as an `(n, width)` array and a mask of what is no padding.

    Keeps the first `width` items of each list; `newest_first` takes each list from its end.
    """
    array = lists.combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    lengths = np.asarray(array.value_lengths().fill_null(0))
    items = array.flatten().to_numpy(zero_copy_only=False)
    starts = np.cumsum(lengths) - lengths
    steps = np.arange(width)
    present = steps < lengths[:, None]
    positions = (starts + lengths - 1)[:, None] - steps if newest_first else starts[:, None] + steps
    if len(items) == 0:
        return np.zeros(present.shape, np.int32), present
    return items[np.where(present, positions, 0)], present
