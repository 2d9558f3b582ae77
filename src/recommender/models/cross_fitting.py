"""Cross-fitted movie factors: a training row must not see factors that its own user has shaped."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recommender.models.item_factors import Floats, MovieFactors

Fit = Callable[[NDArray[np.bool_]], MovieFactors]  # rows to fit on -> factors


def fold_of_user(num_users: int, folds: int, seed: int) -> NDArray[np.int32]:
    """A fold from 1 to `folds` for each user, `(num_users,)`, as even as can be."""
    return (np.random.default_rng(seed).permutation(num_users) % folds + 1).astype(np.int32)


def cross_fit(fit: Fit, fold_of_row: NDArray[np.integer], folds: int) -> list[MovieFactors]:
    """Fit on all rows, then, for each fold from 1 on, on those of other folds: `folds + 1` fits in all.

    A rating that helped to fit a factor is explained by it too well: on such factors a network learns to
    trust them more than the factors deserve that it will meet people with whom training has not seen. What
    is known up to a rotation is turned towards the full fit. Cross-fitting: Chernozhukov et al. 2018.
    """
    full = fit(np.ones(len(fold_of_row), bool))
    without = [fit(fold_of_row != fold) for fold in range(1, folds + 1)]
    return [full, *(one.rotated(procrustes(one.factors, full.factors, one.counts)) for one in without)]


def procrustes(factors: Floats, reference: Floats, weights: NDArray) -> Floats:
    """The orthogonal matrix that brings `factors @ matrix` nearest to `reference`, both `(n, size)`.

    In weighted least squares over the rows (Schoenemann 1966).
    """
    left, _, right = np.linalg.svd(factors.T @ (weights[:, np.newaxis] * reference))
    return left @ right
