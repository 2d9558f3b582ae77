"""Folding a user in: the coefficients that explain their ratings, in closed form and differentiable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from recommender.models.shared_rows import dots, weighted_moments, weighted_sum


class FoldedIn(NamedTuple):
    """What a user's ratings say of a candidate."""

    prediction: tf.Tensor  # (batch,), expected target of the candidate
    variance: tf.Tensor  # (batch,), of that expectation; the prior's without ratings
    residuals: tf.Tensor  # (batch, length), what the regression leaves of each rating


class RidgeFoldIn(tf.keras.layers.Layer):
    """Bayesian linear regression of each row's targets on the columns of what was rated.

    target = columns . coefficients + noise, where the coefficients have a Gaussian prior: a mean that the
    caller gives, and a standard deviation `scale` for each column, which is learned. Known as fold-in (Sarwar
    et al. 2002): a user of whom training knew nothing gets the factors that a factorisation would have given
    them. The exact posterior by Cholesky decomposition; gradients pass through it to targets, precisions,
    prior and scales (as in Bertinetto et al. 2019, Meta-learning with differentiable closed-form solvers).
    """

    def __init__(self, initial_scales: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initial_scales = np.asarray(initial_scales, np.float32)

    def build(self, input_shape: Any) -> None:
        """Create the logarithms of the scales."""
        start = tf.keras.initializers.Constant(np.log(self.initial_scales))
        self.log_scale = self.add_weight("log_scale", self.initial_scales.shape, initializer=start)

    def call(
        self,
        columns: tf.Tensor,
        target: tf.Tensor,
        precision: tf.Tensor,
        candidate: tf.Tensor,
        prior_mean: tf.Tensor,
    ) -> FoldedIn:
        """Regress, and predict the candidate.

        `columns` `(batch, length, n)`, `target` and `precision` (1 / variance of the noise, 0 = padding)
        `(batch, length)`, `candidate` `(batch, n)`, `prior_mean` `(batch, n)` in units of the scale.
        `columns` and `target` may be those of one user, statically 1 for the batch, for all candidates.
        """
        scale = tf.exp(self.log_scale)
        expected = prior_mean * scale
        surprise = target - dots(columns, expected)
        # In units of the scale the prior is a unit Gaussian, and the matrix well conditioned in float32.
        moments = weighted_moments(columns, precision) * scale[:, tf.newaxis] * scale
        shift = weighted_sum(columns, precision * surprise) * scale
        right = tf.stack([shift, candidate * scale], axis=2)  # (batch, n, 2)
        solved = solve_positive_definite(moments + tf.eye(columns.shape[2]), right)
        coefficients = expected + solved[:, :, 0] * scale
        return FoldedIn(
            prediction=tf.einsum("bn,bn->b", candidate, coefficients),
            variance=tf.einsum("bn,bn->b", candidate * scale, solved[:, :, 1]),
            residuals=target - dots(columns, coefficients),
        )


@tf.custom_gradient
def solve_positive_definite(
    matrix: tf.Tensor, right: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]]:
    """x of matrix x = right, for symmetric positive definite matrices `(..., n, n)`; right is `(..., n, k)`.

    Its gradient solves once more with the same decomposition, several times cheaper than differentiating
    through the decomposition.
    """
    lower = tf.linalg.cholesky(matrix)
    solved = tf.linalg.cholesky_solve(lower, right)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        of_right = tf.linalg.cholesky_solve(lower, upstream)
        return -tf.matmul(of_right, solved, transpose_b=True), of_right

    return solved, gradient
