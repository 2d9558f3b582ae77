"""Means of rows that are not independent: the ratings of one user resemble each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t


@dataclass(frozen=True)
class ClusteredEstimate:
    """A number, and how far each cluster of rows pulls it.

    `influence` `(num_clusters,)` is what the number loses without each cluster, 0 for clusters without rows;
    its length is the standard error. That is the jackknife over clusters (MacKinnon, Nielsen and Webb, "Fast
    and reliable jackknife and bootstrap methods for cluster-robust inference", Journal of Applied
    Econometrics 2023), which sees that a mean hangs on one cluster where the usual sandwich does not. Roots
    and differences follow by the delta method; estimates of the same clusters may be subtracted, whether
    they share rows or not.
    """

    value: float
    influence: NDArray[np.float64]
    degrees_of_freedom: float

    @property
    def standard_error(self) -> float:
        """NaN for fewer than two clusters."""
        return float(np.sqrt(self.influence @ self.influence))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The confidence interval by Student's t, NaN for fewer than two clusters."""
        margin = self.standard_error * float(t.ppf((1 + level) / 2, self.degrees_of_freedom))
        return self.value - margin, self.value + margin

    def root(self) -> ClusteredEstimate:
        """The square root; where the value is 0 it has no standard error."""
        value = float(np.sqrt(self.value))
        slope = 0.5 / value if value > 0 else float("nan")
        return ClusteredEstimate(value, self.influence * slope, self.degrees_of_freedom)

    def __sub__(self, other: ClusteredEstimate) -> ClusteredEstimate:
        """The difference; degrees of freedom as Welch and Satterthwaite take them."""
        ours, theirs = self.standard_error**2, other.standard_error**2
        spread = ours**2 / self.degrees_of_freedom + theirs**2 / other.degrees_of_freedom
        degrees = (ours + theirs) ** 2 / spread if spread > 0 else self.degrees_of_freedom
        return ClusteredEstimate(self.value - other.value, self.influence - other.influence, degrees)


def clustered_mean(
    values: NDArray[np.floating], cluster: NDArray[np.integer], num_clusters: int
) -> ClusteredEstimate:
    """The mean over rows `(n,)`; `cluster` `(n,)` says whose each is, from 0 to `num_clusters` - 1.

    NaN for no rows.
    """
    counts = np.bincount(cluster, minlength=num_clusters)
    sums = np.bincount(cluster, weights=values.astype(np.float64), minlength=num_clusters)
    clusters = int(np.count_nonzero(counts))
    if not clusters:
        return ClusteredEstimate(float("nan"), np.full(num_clusters, np.nan), float("nan"))
    mean = float(sums.sum() / counts.sum())
    if clusters == 1:
        return ClusteredEstimate(mean, np.full(num_clusters, np.nan), float("nan"))
    without = counts.sum() - counts  # rows that are left without each cluster
    influence = np.sqrt((clusters - 1) / clusters) * (sums - mean * counts) / without
    return ClusteredEstimate(mean, influence, clusters - 1)
