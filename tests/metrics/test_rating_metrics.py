import math

import numpy as np
import pytest
import sklearn.metrics

from recommender.metrics.rating import mae, rmse


def test_errors_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    predicted, rating = rng.normal(3.5, 1, 500), rng.integers(1, 6, 500)
    assert rmse(predicted, rating) == pytest.approx(
        sklearn.metrics.root_mean_squared_error(rating, predicted)
    )
    assert mae(predicted, rating) == pytest.approx(sklearn.metrics.mean_absolute_error(rating, predicted))


def test_a_large_error_weighs_more_in_rmse_than_in_mae():
    predicted, rating = np.array([3.0, 3.0]), np.array([3.0, 5.0])
    assert rmse(predicted, rating) == pytest.approx(math.sqrt(2))
    assert mae(predicted, rating) == pytest.approx(1)


def test_single_precision_inputs_are_summed_in_double_precision():
    predicted = np.full(2_000_000, 0.1, np.float32)
    assert rmse(predicted, np.zeros_like(predicted)) == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def test_errors_of_no_rows_are_nan():
    assert math.isnan(rmse(np.zeros(0), np.zeros(0)))
    assert math.isnan(mae(np.zeros(0), np.zeros(0)))
