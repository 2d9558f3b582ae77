"""From predicted ratings to the probability of a like, so that rating models have a log loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from recommender.errors import DataError


@dataclass(frozen=True)
class LikeCalibration:
    """p(like) = 1 / (1 + exp(-(intercept + slope * predicted rating)))."""

    slope: float
    intercept: float

    def __call__(self, predicted: NDArray[np.floating]) -> NDArray[np.float64]:
        """The probability of a like for predicted ratings `(n,)`."""
        return expit(self.intercept + self.slope * predicted.astype(np.float64))


def fit_like_calibration(
    predicted: NDArray[np.floating], rating: NDArray[np.floating], threshold: float
) -> LikeCalibration:
    """Fit the probability that rating >= threshold on validation predictions, never on those it is used for.

    Platt scaling: logistic regression of the like on the predicted rating, with Platt's targets
    (likes + 1)/(likes + 2) and 1/(others + 2) in place of 1 and 0 ("Probabilistic outputs for support vector
    machines", 1999). They keep the fit finite where predictions separate likes from the rest perfectly, and
    where there are only likes or none.
    Raises `DataError` without rows.
    """
    if not len(predicted):
        raise DataError("the calibration of likes needs at least one validation rating, received 0")
    liked = rating >= threshold
    likes = np.count_nonzero(liked)
    target = np.where(liked, (likes + 1) / (likes + 2), 1 / (len(liked) - likes + 2))
    center, scale = (
        float(np.mean(predicted, dtype=np.float64)),
        float(np.std(predicted, dtype=np.float64)) or 1.0,
    )
    slope, intercept = _fit_logistic((predicted - center) / scale, target)
    return LikeCalibration(slope / scale, intercept - slope * center / scale)


def _fit_logistic(x: NDArray[np.floating], target: NDArray[np.floating]) -> tuple[float, float]:
    """Slope and intercept that minimise the cross-entropy with soft targets; `x` is standardised."""

    def loss(weights: NDArray[np.floating]) -> tuple[float, NDArray[np.floating]]:
        logit = weights[0] * x + weights[1]
        error = (expit(logit) - target) / len(x)
        return float(np.mean(np.logaddexp(0, logit) - target * logit)), np.array([error @ x, error.sum()])

    result = minimize(loss, np.zeros(2), jac=True, method="BFGS", options={"gtol": 1e-8})
    return float(result.x[0]), float(result.x[1])
