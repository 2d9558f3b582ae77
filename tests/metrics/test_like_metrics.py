import math
from itertools import product

import numpy as np
import pytest

from recommender.metrics.like import auc, log_loss


def test_auc_is_the_share_of_pairs_in_the_right_order_with_ties_counting_half():
    rng = np.random.default_rng(1)
    score, liked = rng.integers(0, 5, 60).astype(float), rng.random(60) < 0.4
    pairs = list(product(score[liked], score[~liked]))
    right = sum((high > low) + 0.5 * (high == low) for high, low in pairs)
    assert auc(score, liked) == pytest.approx(right / len(pairs))


def test_auc_does_not_depend_on_the_scale_of_the_score():
    rng = np.random.default_rng(2)
    score, liked = rng.normal(size=100), rng.random(100) < 0.5
    assert auc(np.exp(3 * score), liked) == pytest.approx(auc(score, liked))


@pytest.mark.parametrize("liked", [np.ones(3, bool), np.zeros(3, bool), np.zeros(0, bool)])
def test_auc_without_both_likes_and_others_is_nan(liked):
    assert math.isnan(auc(np.arange(len(liked), dtype=float), liked))


def test_log_loss_is_the_mean_surprise_in_nats():
    probability, liked = np.array([0.9, 0.2, 0.5]), np.array([True, False, True])
    assert log_loss(probability, liked) == pytest.approx(-(math.log(0.9) + math.log(0.8) + math.log(0.5)) / 3)


def test_log_loss_is_defined_where_everything_is_liked_and_finite_where_the_model_was_sure_and_wrong():
    assert log_loss(np.array([0.5]), np.array([True])) == pytest.approx(math.log(2))
    assert 10 < log_loss(np.array([1.0], np.float32), np.array([False])) < 100


def test_log_loss_of_no_rows_is_nan():
    assert math.isnan(log_loss(np.zeros(0), np.zeros(0, bool)))
