import json
import math

import numpy as np
import pytest

from recommender.errors import DataError
from recommender.evaluation.calibration import fit_like_calibration
from recommender.evaluation.rating import evaluate_like, evaluate_rating
from recommender.evaluation.report import to_json

PREDICTED = np.array([3.0, 4.5, 2.0, 4.0], np.float32)
RATING = np.array([4.0, 5.0, 2.0, 3.0], np.float32)


def test_a_report_holds_the_metrics_of_the_predictions():
    report = evaluate_rating(PREDICTED, RATING, 4.0, calibration=lambda predicted: predicted / 5)
    assert report["ratings"] == 4
    assert report["rmse"] == pytest.approx(math.sqrt((1 + 0.25 + 0 + 1) / 4))
    assert report["mae"] == pytest.approx((1 + 0.5 + 0 + 1) / 4)
    assert report["auc"] == pytest.approx(3 / 4)  # 3.0 is below 4.0, the other three pairs are right
    surprise = [math.log(0.6), math.log(0.9), math.log(0.6), math.log(0.2)]
    assert report["log_loss"] == pytest.approx(-sum(surprise) / 4, rel=1e-6)


def test_errors_are_split_by_the_number_of_earlier_ratings():
    by_history = evaluate_rating(PREDICTED, RATING, 4.0, history_counts=np.array([0, 4, 5, 100]))[
        "by_history"
    ]
    assert list(by_history) == ["0", "1-4", "5-19", "20-99", "100+"]
    assert [group["ratings"] for group in by_history.values()] == [1, 1, 1, 0, 1]
    assert by_history["1-4"]["rmse"] == pytest.approx(0.5)
    assert math.isnan(by_history["20-99"]["rmse"])


def test_what_cannot_be_computed_is_nan_and_is_written_as_null():
    report = evaluate_rating(PREDICTED, np.full(4, 5.0), 4.0)
    assert math.isnan(report["auc"])
    assert math.isnan(report["log_loss"])
    written = json.loads(json.dumps(to_json(report), allow_nan=False))
    assert written["auc"] is None
    assert written["rmse"] == pytest.approx(report["rmse"])


def test_log_loss_is_better_than_the_share_of_likes_only_where_predictions_tell_something():
    rng = np.random.default_rng(0)
    rating = rng.integers(1, 6, 4_000).astype(np.float32)
    telling, silent = rating + rng.normal(0, 1, 4_000), rng.normal(3, 1, 4_000)
    entropy = -(0.4 * math.log(0.4) + 0.6 * math.log(0.6))

    def loss(predicted):
        calibration = fit_like_calibration(predicted[:2_000], rating[:2_000], 4.0)
        return evaluate_rating(predicted[2_000:], rating[2_000:], 4.0, calibration)["log_loss"]

    assert loss(telling) < 0.8 * entropy
    assert loss(silent) == pytest.approx(entropy, rel=0.03)


def test_probabilities_of_a_like_are_measured_without_calibration():
    report = evaluate_like(PREDICTED / 5, RATING, 4.0)
    calibrated = evaluate_rating(PREDICTED, RATING, 4.0, calibration=lambda predicted: predicted / 5)
    assert report == {name: calibrated[name] for name in ("ratings", "auc", "log_loss")}


@pytest.mark.parametrize(
    ("predicted", "rating", "message"),
    [
        (np.zeros(0), np.zeros(0), "at least one held-out rating, received 0"),
        (np.zeros((2, 1)), np.zeros(2), r"shape of the ratings \(2,\), received \(2, 1\)"),
        (np.array([1.0, np.nan]), np.zeros(2), "must be finite, received nan in row 1"),
    ],
)
def test_predictions_that_cannot_be_evaluated_are_an_error(predicted, rating, message):
    with pytest.raises(DataError, match=message):
        evaluate_rating(predicted, rating, 4.0)
