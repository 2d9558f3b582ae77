"""The beginning of an order, without what is not open."""

from __future__ import annotations

import numpy as np
import pytest

from recommender.app.candidates.orders import first_open


@pytest.mark.parametrize("share", [0.0, 0.003, 0.05, 0.5, 1.0])
@pytest.mark.parametrize("limit", [1, 7, 300])
def test_is_the_order_filtered_and_cut_however_few_are_open(share: float, limit: int) -> None:
    random = np.random.default_rng(5)
    order = random.permutation(2_000).astype(np.int32)
    is_open = random.random(2_000) < share
    expected = [place for place in order.tolist() if is_open[place]][:limit]
    assert first_open(order, is_open, limit).tolist() == expected
