"""Folding a user in: the coefficients that explain their ratings, in closed form and differentiable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from recommender.models.conjugate_gradients import solve_regressions
from recommender.models.shared_rows import dots, weighted_sum


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
    them. The posterior in closed form; gradients pass through it to targets, precisions,
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
        shift = weighted_sum(columns, precision * surprise) * scale
        solve = _each_its_own if columns.shape[0] != 1 else _of_one_user
        liking, response = solve(columns, precision, scale, shift, candidate * scale)
        coefficients = expected + liking * scale
        return FoldedIn(
            prediction=tf.einsum("bn,bn->b", candidate, coefficients),
            variance=tf.einsum("bn,bn->b", candidate * scale, response),
            residuals=target - dots(columns, coefficients),
        )


def _each_its_own(
    columns: tf.Tensor, precision: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor, candidate: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """What the regression's matrix turns `shift` and `candidate` into, both `(batch, n)`."""
    moments = tf.matmul(columns * precision[:, :, tf.newaxis], columns, transpose_a=True)
    moments = moments * scale[:, tf.newaxis] * scale
    right = tf.stack([shift, candidate], axis=2)  # (batch, n, 2)
    solved = solve_positive_definite(moments + tf.eye(columns.shape[2]), right)
    return solved[:, :, 0], solved[:, :, 1]


def _of_one_user(
    columns: tf.Tensor, precision: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor, candidate: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The same where all rows of the batch have the columns `(1, length, n)`."""
    solved = solve_regressions(columns[0] * scale, precision, tf.stack([shift, candidate], axis=1))
    return solved[:, 0], solved[:, 1]


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
