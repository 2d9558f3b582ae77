"""How far predicted ratings are from the given ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.errors import DataError
from recommender.evaluation.history import HISTORY_GROUPS, history_group
from recommender.metrics.like import auc, log_loss
from recommender.metrics.rating import mae, rmse

Calibration = Callable[[NDArray[np.floating]], NDArray[np.floating]]


def evaluate_rating(
    predicted: NDArray[np.floating],
    rating: NDArray[np.floating],
    like_threshold: float,
    calibration: Calibration | None = None,
    history_counts: NDArray[np.integer] | None = None,
) -> dict[str, Any]:
    """RMSE, MAE, AUC and log loss of predicted ratings; all arrays `(n,)`.

    A like is a rating >= `like_threshold`. AUC takes the predicted rating as score; log loss takes
    `calibration(predicted)`, fitted on the validation split by `fit_like_calibration`; without one it is NaN.
    With `history_counts` (earlier ratings of the row's user) the RMSE is also given by length of history.
    AUC is NaN where only likes or no likes were held out, the RMSE of a group without rows is NaN. Raises
    `DataError` for no rows at all and for predictions that are not finite.
    """
    _check(predicted, rating)
    liked = rating >= like_threshold
    probability = None if calibration is None else calibration(predicted)
    report: dict[str, Any] = {
        "ratings": len(rating),
        "rmse": rmse(predicted, rating),
        "mae": mae(predicted, rating),
        "auc": auc(predicted, liked),
        "log_loss": float("nan") if probability is None else log_loss(probability, liked),
    }
    if history_counts is not None:
        report["by_history"] = _by_history(predicted, rating, history_counts)
    return report


def evaluate_like(
    probability: NDArray[np.floating], rating: NDArray[np.floating], like_threshold: float
) -> dict[str, Any]:
    """AUC and log loss of a model that predicts the probability of a like itself; all arrays `(n,)`.

    The same rules as in `evaluate_rating`; errors in stars have no meaning here.
    """
    _check(probability, rating)
    liked = rating >= like_threshold
    return {"ratings": len(rating), "auc": auc(probability, liked), "log_loss": log_loss(probability, liked)}


def _by_history(
    predicted: NDArray[np.floating], rating: NDArray[np.floating], history_counts: NDArray[np.integer]
) -> dict[str, dict[str, Any]]:
    group = history_group(history_counts)
    return {
        name: {
            "ratings": int(np.count_nonzero(group == index)),
            "rmse": rmse(predicted[group == index], rating[group == index]),
        }
        for index, name in enumerate(HISTORY_GROUPS)
    }


def _check(predicted: NDArray[np.floating], rating: NDArray[np.floating]) -> None:
    if predicted.shape != rating.shape:
        raise DataError(
            f"predictions must have the shape of the ratings {rating.shape}, received {predicted.shape}"
        )
    if not len(rating):
        raise DataError("evaluation needs at least one held-out rating, received 0")
    finite = np.isfinite(predicted)
    if not finite.all():
        row = int(np.argmin(finite))
        raise DataError(f"predictions must be finite, received {predicted[row]} in row {row}")
