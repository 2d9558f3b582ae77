"""Fitting a linear score of candidates so that the relevant ones of each list come first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]


def fit_listwise(
    features: Floats, present: NDArray[np.bool_], relevant: NDArray[np.bool_], prior: Floats, l2: float
) -> Floats:
    """Weights `(f,)` with the least softmax cross-entropy over lists (ListNet: Cao et al. 2007).

    `features` `(n, c, f)`, `present` and `relevant` `(n, c)`: which places hold a movie, and which of these a
    relevant one. The loss of a list is the mean over its relevant movies, lists without any are left out. To
    the mean over lists comes `l2` / 2 times the squared distance of the weights to `prior`, counted in
    standard deviations of the features within lists. Convex, so the start does not matter; without any list
    that counts the result is the prior.
    """
    counts = relevant.any(axis=1)
    features, present, relevant = features[counts], present[counts], relevant[counts]
    if not len(features):
        return prior
    centred = features - _mean(features, present)
    centred[~present] = 0.0
    scale = np.sqrt((centred**2).sum(axis=(0, 1)) / present.sum())
    scale[scale == 0] = 1.0  # of a feature that never differs within a list, whose weight stays the prior
    scaled = centred / scale
    wanted = relevant / relevant.sum(axis=1, keepdims=True)
    start = prior * scale
    found = minimize(_loss, start, (scaled, present, wanted, start, l2), "L-BFGS-B", jac=True)
    return found.x / scale


def _loss(
    weights: Floats, features: Floats, present: NDArray[np.bool_], wanted: Floats, prior: Floats, l2: float
) -> tuple[float, Floats]:
    """The loss and its gradient."""
    scores = np.where(present, features @ weights, -np.inf)
    scores -= scores.max(axis=1, keepdims=True)
    exponentials = np.exp(scores)
    totals = exponentials.sum(axis=1, keepdims=True)
    log_shares = np.where(present, scores, 0.0) - np.log(totals)
    away = weights - prior
    loss = -(wanted * log_shares).sum() / len(wanted) + l2 / 2 * (away @ away)
    surplus = exponentials / totals - wanted  # (n, c)
    return loss, np.einsum("nc,ncf->f", surplus, features) / len(wanted) + l2 * away


def _mean(features: Floats, present: NDArray[np.bool_]) -> Floats:
    """The mean of each list, `(n, 1, f)`."""
    return features.mean(axis=1, keepdims=True, where=present[..., np.newaxis])
