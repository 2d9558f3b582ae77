import numpy as np
import pytest

from recommender.evaluation.curves import GRID, like_curves


def test_the_curves_of_a_score_that_is_right():
    found = like_curves(np.array([4.0, 3.0, 2.0, 1.0]), np.array([True, True, False, False]))
    assert (found["auc"], found["average_precision"], found["likes"]) == (1, 1, 0.5)
    assert found["true_positive_rate"].tolist() == [1.0] * len(GRID)
    assert found["precision"].tolist() == [1.0] * len(GRID)


def test_precision_is_that_of_the_highest_threshold_that_finds_enough():
    score = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    found = like_curves(score, np.array([True, False, True, False, False]))
    at = dict(zip(GRID.round(2).tolist(), found["precision"].tolist(), strict=True))
    assert [at[recall] for recall in (0.0, 0.5, 0.51, 1.0)] == pytest.approx([1, 1, 2 / 3, 2 / 3])
    assert found["average_precision"] == pytest.approx((1 + 2 / 3) / 2)


def test_a_score_that_knows_nothing_lies_on_the_diagonal():
    rng = np.random.default_rng(0)
    liked = rng.random(50_000) < 0.6
    found = like_curves(rng.random(50_000), liked)
    assert found["true_positive_rate"] == pytest.approx(GRID, abs=0.02)
    assert found["precision"][10:] == pytest.approx(np.full(91, 0.6), abs=0.03)
    constant = like_curves(np.ones(50_000), liked)
    assert constant["true_positive_rate"] == pytest.approx(GRID)
    assert constant["precision"] == pytest.approx(np.full(101, liked.mean()))


def test_the_area_under_the_roc_curve_is_the_auc():
    rng = np.random.default_rng(1)
    liked = rng.random(5_000) < 0.5
    found = like_curves(liked + rng.normal(0, 1, 5_000), liked)
    assert np.trapezoid(found["true_positive_rate"], GRID) == pytest.approx(found["auc"], abs=2e-3)


@pytest.mark.parametrize("liked", [[True, True], [False, False]])
def test_without_both_kinds_there_is_no_curve(liked):
    found = like_curves(np.array([1.0, 2.0]), np.array(liked))
    assert found["likes"] == liked[0]
    assert np.isnan([found["auc"], found["average_precision"], *found["precision"]]).all()
