from __future__ import annotations

import numpy as np
import pytest

from recommender.models.conjugate_gradients import NEAR, _conjugate_gradients, solve_regressions

BATCH, LENGTH, SIZE = 6, 120, 20


def regressions(spread: float, length: int = LENGTH, batch: int = BATCH) -> tuple[np.ndarray, ...]:
    """Rows, weights that differ by `exp(+-spread)`, and two right sides each."""
    random = np.random.default_rng(0)
    weights = np.exp(random.uniform(-spread, spread, (batch, length)))
    weights[:, length // 2 :: 7] = 0.0  # padding
    parts = random.normal(size=(length, SIZE)), weights, random.normal(size=(batch, 2, SIZE))
    return tuple(part.astype(np.float32) for part in parts)


def expected(rows: np.ndarray, weights: np.ndarray, right: np.ndarray) -> np.ndarray:
    matrices = np.eye(SIZE) + np.einsum("bl,li,lj->bij", weights, rows, rows, dtype=np.float64)
    return np.linalg.solve(matrices, right.swapaxes(1, 2)).swapaxes(1, 2)


@pytest.mark.parametrize("length", [0, 1, 4, LENGTH])
@pytest.mark.parametrize("batch", [0, 1, BATCH])
def test_solves_every_regression(length: int, batch: int) -> None:
    given = regressions(1.0, length, batch)
    np.testing.assert_allclose(solve_regressions(*given), expected(*given), atol=1e-5)


def test_weights_within_a_factor_of_five_need_no_decomposition() -> None:
    solved, rest = _conjugate_gradients(*regressions(0.8))
    assert rest <= NEAR
    np.testing.assert_allclose(solved, expected(*regressions(0.8)), atol=1e-6)


def test_one_candidate_of_far_larger_weights_does_not_spoil_the_others() -> None:
    rows, weights, right = regressions(0.3)
    weights[0] *= 1e5
    wrong, rest = _conjugate_gradients(rows, weights, right)
    assert rest <= NEAR  # and yet
    assert np.abs(wrong - expected(rows, weights, right)).max() > 5e-5
    np.testing.assert_allclose(
        solve_regressions(rows, weights, right), expected(rows, weights, right), atol=1e-5
    )


def test_where_the_steps_do_not_reach_the_answer_is_still_right() -> None:
    given = regressions(5.0)
    wrong, rest = _conjugate_gradients(*given)
    assert rest > 1000 * NEAR
    assert np.abs(wrong - expected(*given)).max() > 1e-3
    np.testing.assert_allclose(solve_regressions(*given), expected(*given), atol=1e-6)
