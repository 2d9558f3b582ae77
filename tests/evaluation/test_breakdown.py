import math

import numpy as np
import pytest

from recommender.evaluation.breakdown import ranking_breakdown, rating_breakdown
from recommender.evaluation.groups import Groups
from recommender.metrics.rating import rmse

NAMES = ("even", "odd", "nobody")


def rows(users: int, per_user: int, spread_of_odd: float, seed: int = 0):
    """Ratings of users in two groups; the predictions of one are `spread_of_odd` times as wrong."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), per_user)
    rating = rng.integers(1, 6, len(user)).astype(np.float32)
    error = rng.normal(0, np.where(user % 2, spread_of_odd, 1.0))
    return rating + error, rating, user, Groups(NAMES, user % 2)


def test_each_group_has_its_errors_and_the_gap_to_all_others():
    predicted, rating, user, groups = rows(40, 20, 1.5)
    found = rating_breakdown(predicted, rating, user, groups, rival=predicted + 1)
    assert list(found) == ["even", "odd"]
    odd, even = user % 2 == 1, user % 2 == 0
    assert (found["odd"]["ratings"], found["odd"]["users"]) == (400, 20)
    assert found["odd"]["rmse"] == pytest.approx(rmse(predicted[odd], rating[odd]))
    assert found["odd"]["bias"] == pytest.approx(np.mean(predicted[odd] - rating[odd]))
    expected = rmse(predicted[odd], rating[odd]) - rmse(predicted[even], rating[even])
    assert found["odd"]["gap"] == pytest.approx(expected)
    assert found["even"]["gap"] == pytest.approx(-expected)
    gain = rmse(predicted[odd] + 1, rating[odd]) - rmse(predicted[odd], rating[odd])
    assert found["odd"]["gain"] == pytest.approx(gain)
    low, high = found["odd"]["gain_interval"]
    assert 0 < low < gain < high


def test_a_gap_that_is_there_is_found_and_one_of_chance_is_not():
    worse = rating_breakdown(*rows(60, 30, 1.4), rival=np.zeros(1800))["odd"]
    same = rating_breakdown(*rows(60, 30, 1.0), rival=np.zeros(1800))["odd"]
    assert worse["differs"] is True
    assert worse["gap_interval"][0] > 0.2
    assert same["differs"] is False
    assert same["gap_interval"][0] < 0 < same["gap_interval"][1]


def test_a_few_people_with_many_ratings_prove_nothing():
    """One user of ten in a group is badly predicted, two thousand times: that says something of the user."""
    user = np.concatenate([np.repeat(np.arange(20), 20), np.full(2000, 1)])
    error = np.random.default_rng(0).normal(0, np.where(user == 1, 2.0, 1.0))
    found = rating_breakdown(error, np.zeros(len(user)), user, Groups(NAMES, user % 2), error)["odd"]
    assert found["gap"] > 0.5
    assert found["differs"] is False


def test_when_many_groups_are_looked_at_a_gap_must_be_further_from_chance():
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(400), 10)
    group = user // 20  # 20 groups of 20 users, all alike
    differing = crossed = 0
    for _ in range(40):
        error = rng.normal(size=400)[user] * 0.5 + rng.normal(size=len(user))
        groups = Groups(tuple(map(str, range(20))), group)
        found = rating_breakdown(error, np.zeros(len(user)), user, groups, error)
        differing += any(each["differs"] for each in found.values())
        crossed += any(not each["gap_interval"][0] < 0 < each["gap_interval"][1] for each in found.values())
    assert crossed > 20  # 95 % intervals alone would see a gap in most data without any
    assert differing <= 6


def test_a_group_of_few_users_has_values_but_no_intervals():
    predicted, rating, user, _ = rows(40, 5, 1.0)
    found = rating_breakdown(predicted, rating, user, Groups(NAMES, (user < 9).astype(int)), predicted)
    assert found["odd"]["users"] == 9
    assert math.isfinite(found["odd"]["gap"])
    assert found["odd"]["differs"] is None
    assert np.isnan([found["odd"]["rmse_interval"], found["odd"]["gap_interval"]]).all()
    assert np.isfinite(found["even"]["rmse_interval"]).all()


def test_rows_of_unknown_groups_are_not_among_the_others():
    predicted, rating, user, _ = rows(60, 10, 1.0)
    index = np.where(user % 3 == 2, -1, user % 3)
    found = rating_breakdown(predicted, rating, user, Groups(NAMES, index), predicted)
    known = index >= 0
    alone = rating_breakdown(
        predicted[known], rating[known], user[known], Groups(NAMES, index[known]), predicted[known]
    )
    assert found == alone


def test_a_metric_of_users_is_averaged_within_groups():
    metric = np.concatenate([np.full(20, 0.2), np.full(20, 0.6), [np.nan]])
    metric[:40] += np.random.default_rng(0).normal(0, 0.05, 40)
    found = ranking_breakdown(metric, Groups(NAMES, np.repeat([0, 1], [20, 21])))
    assert found["odd"]["users"] == 20
    assert found["odd"]["mean"] == pytest.approx(metric[20:40].mean())
    assert found["odd"]["gap"] == pytest.approx(metric[20:40].mean() - metric[:20].mean())
    assert found["odd"]["differs"] is True
