import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from recommender.errors import DataError
from recommender.evaluation.calibration import fit_like_calibration


def likes(rows=5_000, seed=0):
    """Predictions and ratings whose like (>= 4) has probability 1 / (1 + exp(-(2 predicted - 7)))."""
    rng = np.random.default_rng(seed)
    predicted = rng.normal(3.5, 0.6, rows)
    liked = rng.random(rows) < 1 / (1 + np.exp(-(2 * predicted - 7)))
    return predicted.astype(np.float32), np.where(liked, 5.0, 2.0).astype(np.float32)


def test_the_fit_is_the_logistic_regression_of_the_like_on_the_prediction():
    predicted, rating = likes()
    calibration = fit_like_calibration(predicted, rating, 4.0)
    reference = LogisticRegression(C=1e6, tol=1e-8).fit(predicted[:, None], rating >= 4)
    assert calibration.slope == pytest.approx(reference.coef_[0, 0], rel=0.01)
    assert calibration.intercept == pytest.approx(reference.intercept_[0], rel=0.01)


def test_the_fit_recovers_the_probabilities_that_made_the_data():
    calibration = fit_like_calibration(*likes(rows=50_000), 4.0)
    points = np.array([2.5, 3.5, 4.5])
    np.testing.assert_allclose(calibration(points), 1 / (1 + np.exp(-(2 * points - 7))), atol=0.02)


def test_a_rating_at_the_threshold_is_a_like():
    predicted, rating = np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.0, 3.0, 4.0, 4.0])
    calibration = fit_like_calibration(predicted, rating, 4.0)
    assert calibration(np.array([3.0]))[0] > 0.5 > calibration(np.array([2.0]))[0]


def test_predictions_that_separate_the_classes_still_give_a_finite_fit():
    calibration = fit_like_calibration(np.array([1.0, 1.1, 4.9, 5.0]), np.array([1.0, 1.0, 5.0, 5.0]), 4.0)
    probability = calibration(np.array([1.0, 5.0]))
    assert 0 < probability[0] < 0.5 < probability[1] < 1


@pytest.mark.parametrize(("rating", "expected"), [(5.0, 11 / 12), (1.0, 1 / 12)])
def test_with_one_class_only_the_probability_is_the_smoothed_share_of_likes(rating, expected):
    calibration = fit_like_calibration(np.linspace(2, 4, 10), np.full(10, rating), 4.0)
    assert calibration(np.array([1.0, 5.0])) == pytest.approx([expected, expected], abs=1e-5)


def test_the_same_prediction_for_everybody_gives_the_share_of_likes():
    calibration = fit_like_calibration(
        np.full(1_000, 3.5, np.float32), np.repeat([5.0, 1.0], [600, 400]), 4.0
    )
    assert calibration(np.array([3.5]))[0] == pytest.approx(0.6, abs=0.002)


def test_no_validation_ratings_are_an_error():
    with pytest.raises(DataError, match="at least one validation rating, received 0"):
        fit_like_calibration(np.zeros(0), np.zeros(0), 4.0)
