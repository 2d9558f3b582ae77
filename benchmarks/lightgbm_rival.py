"""LightGBM on the columns that a ranking model reads."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recommender.data.encode import Arrays
from recommender.data.features import BY_NAME
from recommender.data.schema import Schema

TREES, PATIENCE = 2000, 50
# num_leaves (15, 31, 63) and cat_smooth (20, 100) were chosen on one fold of ml-100k's training split.
PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "metric": ["binary_logloss", "auc"],
    "num_leaves": 31,
    "learning_rate": 0.05,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "cat_smooth": 100,
    "num_threads": 1,
    "verbose": -1,
}


def flat_columns(arrays: Arrays, schema: Schema) -> pd.DataFrame:
    """Encoded columns as a table: ids and categories as such, lists as one column for each possible item."""
    table: dict[str, NDArray | pd.Categorical] = {}
    for name, values in arrays.items():
        kind = BY_NAME[name].kind if name in BY_NAME else None
        if kind == "multi_categorical":
            for code, genre in enumerate(schema.genres, start=1):
                table[f"{name} {genre}"] = (values == code).any(axis=1).astype(np.int8)
        elif kind == "categorical":
            table[name] = pd.Categorical(values, range(len(schema.categories[name]) + 1))
        elif kind == "id":
            known = np.where(values <= schema.known_movies, values, 0)
            table[name] = pd.Categorical(known, range(schema.known_movies + 1))
        elif kind == "numeric":
            table[name] = values
    return pd.DataFrame(table)


def fit_lightgbm(
    training: pd.DataFrame,
    liked: NDArray[np.bool_],
    held_out: pd.DataFrame,
    held_out_liked: NDArray[np.bool_],
    seed: int,
) -> tuple[lightgbm.Booster, dict[str, list[float]]]:
    """Add trees until the log loss of the held-out rows stops to fall; returns its history by metric, too."""
    data = lightgbm.Dataset(training, liked.astype(np.int8))
    history: dict[str, dict[str, list[float]]] = {}
    model = lightgbm.train(
        PARAMETERS | {"seed": seed},
        data,
        TREES,
        valid_sets=[lightgbm.Dataset(held_out, held_out_liked.astype(np.int8), reference=data)],
        valid_names=["held_out"],
        callbacks=[
            lightgbm.early_stopping(PATIENCE, first_metric_only=True, verbose=False),
            lightgbm.record_evaluation(history),
        ],
    )
    return model, history["held_out"]
