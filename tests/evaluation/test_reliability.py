import numpy as np
import pytest

from recommender.evaluation.reliability import reliability


def test_the_expected_error_weighs_each_bin_by_its_rows():
    probability = np.array([0.05, 0.05, 0.15, 0.85, 0.85, 0.85, 1.0, 0.95])
    liked = np.array([0, 1, 0, 1, 1, 0, 1, 1], bool)
    found = reliability(probability, liked)
    assert found["rows"].tolist() == [2, 1, 0, 0, 0, 0, 0, 0, 3, 2]
    assert found["predicted"][[0, 1, 8, 9]] == pytest.approx([0.05, 0.15, 0.85, 0.975])
    assert found["actual"][[0, 1, 8, 9]] == pytest.approx([0.5, 0, 2 / 3, 1])
    assert np.isnan(found["actual"][2:8]).all()
    expected = (2 * 0.45 + 1 * 0.15 + 3 * (0.85 - 2 / 3) + 2 * 0.025) / 8
    assert found["expected_error"] == pytest.approx(expected)
    assert found["largest_error"] == pytest.approx(0.45)


def test_true_probabilities_have_no_error_but_chance():
    rng = np.random.default_rng(0)
    probability = rng.random(100_000)
    liked = rng.random(100_000) < probability
    assert reliability(probability, liked)["expected_error"] < 0.006
    assert reliability(probability**2, liked)["expected_error"] == pytest.approx(1 / 6, abs=0.01)


def test_a_lower_edge_belongs_to_its_bin():
    assert reliability(np.array([0.5, 0.0]), np.array([True, False]), bins=2)["rows"].tolist() == [1, 1]
