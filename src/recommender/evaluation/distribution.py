"""How far predictions spread, beside the ratings that they are of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def distribution(values: NDArray[np.floating], scale: tuple[float, float], bins: int = 40) -> dict[str, Any]:
    """Mean, standard deviation and `QUANTILES` of ratings or predictions `(n,)`, and their `share` in each of
    equally wide bins of the rating scale; what lies outside the scale counts at its end."""
    counts, _ = np.histogram(np.clip(values, *scale), bins, scale)
    return {
        "mean": float(np.mean(values, dtype=np.float64)),
        "deviation": float(np.std(values, dtype=np.float64)),
        "quantiles": np.quantile(values, QUANTILES),
        "share": counts / len(values),
    }
