"""How well likes are told from the rest; a like is a rating at or above a threshold."""

from __future__ import annotations

import numpy as np
import sklearn.metrics
from numpy.typing import NDArray


def auc(score: NDArray[np.floating], liked: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: the share of (liked, not liked) pairs in which the liked row scores higher.

    A tie counts one half. Pairs are formed over all rows, not within a user. `score`: `(n,)`, any scale;
    `liked`: bool `(n,)`. NaN where there are no likes or nothing but likes: there is no pair to compare.
    """
    if not _both_classes(liked):
        return float("nan")
    return float(sklearn.metrics.roc_auc_score(liked, score))


def log_loss(probability: NDArray[np.floating], liked: NDArray[np.bool_]) -> float:
    """Mean of -log p(what happened), in nats: -log(p) for a like, -log(1 - p) for the rest; NaN for no rows.

    `probability`: `(n,)` of a like, from 0 to 1, clipped so that 0 and 1 cost a finite amount;
    `liked`: bool `(n,)`.
    """
    if not len(liked):
        return float("nan")
    return float(sklearn.metrics.log_loss(liked, probability.astype(np.float64), labels=[False, True]))


def _both_classes(liked: NDArray[np.bool_]) -> bool:
    return bool(liked.any()) and not bool(liked.all())
