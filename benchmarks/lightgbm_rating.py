"""LightGBM on features that hold what the deep model has in closed form: its peer on ratings and likes."""

from __future__ import annotations

import lightgbm
import numpy as np
from history_features import HistoryFeatures
from numpy.typing import NDArray

from recommender.config import Settings
from recommender.data.interactions import SPLITS
from recommender.data.prepared import Prepared

PARAMETERS = {  # fair ones set by hand; early stopping is on validation
    "learning_rate": 0.03,
    "num_leaves": 31,
    "min_child_samples": 50,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "verbose": -1,
    "seed": 1,
    "deterministic": True,
}
ROUNDS, PATIENCE = 2_000, 50
COLD_SHARE = 0.9  # of training rows shown without a history where statistics are frozen


def predict_with_lightgbm(settings: Settings, prepared: Prepared, objective: str) -> NDArray[np.float64]:
    """Ratings, or probabilities of a like, of the test rows `(n,)`.

    Early stopping is on the validation split; with `ranking.refit` the trees are then grown anew on training
    and validation split, as many as were best.
    """
    cold = COLD_SHARE if settings.features.mode == "frozen" else 0.0
    features = HistoryFeatures(prepared)
    train, validation = (_data(features, prepared, (split,), objective, cold) for split in SPLITS[:2])
    parameters = PARAMETERS | {"objective": "binary" if objective == "like" else "regression"}
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    model = lightgbm.train(parameters, train, ROUNDS, valid_sets=[validation], callbacks=[stop])
    print(f"LightGBM on validation: {dict(model.best_score['valid_0'])}, {model.best_iteration} trees")
    if settings.ranking.refit:
        features = HistoryFeatures(prepared, SPLITS[:2])
        both = _data(features, prepared, SPLITS[:2], objective, cold)
        model = lightgbm.train(parameters, both, model.best_iteration)
    return model.predict(_matrix(features, "test", 0.0))


def _data(
    features: HistoryFeatures, prepared: Prepared, splits: tuple[str, ...], objective: str, cold: float
) -> lightgbm.Dataset:
    matrix = np.concatenate(
        [_matrix(features, split, cold if "train" in splits else 0.0) for split in splits]
    )
    rating = np.concatenate([prepared.interactions.part(split).rating for split in splits])
    label = rating >= prepared.schema.liked_threshold if objective == "like" else rating
    return lightgbm.Dataset(matrix, label)


def _matrix(features: HistoryFeatures, split: str, cold: float) -> NDArray[np.float32]:
    """All columns of a split's rows, of which a share `cold` is shown as if by new users."""
    columns = features.columns(split, cold)
    return np.stack([*columns.values()], axis=1).astype(np.float32)
