"""How well a score tells likes from the rest at every threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
import sklearn.metrics
from numpy.typing import NDArray

from recommender.metrics.like import auc

GRID = np.linspace(0, 1, 101)  # where curves are read off, so that those of several seeds can be averaged


def like_curves(score: NDArray[np.floating], liked: NDArray[np.bool_]) -> dict[str, Any]:
    """The ROC curve and the precision-recall curve of scores `(n,)`, read off at `GRID`.

    `true_positive_rate`: the share of likes above the threshold at which the share `GRID` of the rest is
    above it, too, straight between thresholds. `precision`: the share of likes among all rows above the
    highest threshold that finds at least the share `GRID` of the likes; at 0 it is that of the highest score.
    `average_precision`: the area under that curve's steps, as scikit-learn takes it. `auc` as in
    `metrics.like`. `likes` is the share of likes, which is the precision of a score that knows nothing. All
    NaN where there are no likes or nothing but likes.
    """
    likes = float(np.mean(liked)) if len(liked) else float("nan")
    if not 0 < likes < 1:
        nothing = np.full(len(GRID), np.nan)
        curves = {"true_positive_rate": nothing, "precision": nothing}
        return {"likes": likes, "auc": float("nan"), "average_precision": float("nan"), **curves}
    false_positive_rate, true_positive_rate, _ = sklearn.metrics.roc_curve(liked, score)
    precision, recall, _ = sklearn.metrics.precision_recall_curve(liked, score)
    precision, recall = precision[-2::-1], recall[-2::-1]  # ascending, without the point that no score has
    return {
        "likes": likes,
        "auc": auc(score, liked),
        "average_precision": float(sklearn.metrics.average_precision_score(liked, score)),
        "true_positive_rate": np.interp(GRID, false_positive_rate, true_positive_rate),
        "precision": precision[np.searchsorted(recall, GRID - 1e-12)],
    }
