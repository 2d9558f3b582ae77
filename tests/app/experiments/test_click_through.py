"""Wilson's interval."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from recommender.app.experiments.click_through import wilson_interval


@pytest.mark.parametrize(("clicks", "impressions"), [(0, 1), (1, 1), (0, 20), (3, 17), (250, 10_000)])
def test_the_interval_is_the_one_of_scipy(clicks: int, impressions: int) -> None:
    expected = binomtest(clicks, impressions).proportion_ci(method="wilson")
    assert wilson_interval(clicks, impressions) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_without_impressions_nothing_is_known() -> None:
    assert wilson_interval(0, 0) is None
