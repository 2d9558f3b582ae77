from __future__ import annotations

import numpy as np
import pytest

from recommender.models.final_order import FinalOrder, preference_of

RETRIEVED = np.array([[0.0, -1.0, -2.0]], np.float32)
STARS = np.array([[3.0, 5.0, 4.0]], np.float32)


def test_the_score_is_the_weighted_sum_of_both() -> None:
    scores = FinalOrder(0.5, 2.0).scores(RETRIEVED, STARS, np.array([[7.0]], np.float32))
    np.testing.assert_allclose(scores, [[6.0, 9.5, 7.0]])


@pytest.mark.parametrize("count", [0.0, np.nan])
def test_a_user_without_ratings_keeps_the_order_of_retrieval(count: float) -> None:
    counts = np.array([[count], [1.0]], np.float32)
    scores = FinalOrder(-1.0, 2.0).scores(np.repeat(RETRIEVED, 2, 0), np.repeat(STARS, 2, 0), counts)
    np.testing.assert_allclose(scores, [[0.0, -1.0, -2.0], [6.0, 11.0, 10.0]])


def test_unfitted_it_is_the_order_of_retrieval() -> None:
    np.testing.assert_array_equal(FinalOrder().scores(RETRIEVED, STARS, np.ones((1, 1))), RETRIEVED)


def test_probabilities_count_by_their_log_odds_and_are_never_infinite() -> None:
    for objective in ("like", "implicit"):
        found = preference_of(np.array([0.5, 0.75, 0.0, 1.0], np.float32), objective).numpy()
        np.testing.assert_allclose(found[:2], [0.0, np.log(3)], rtol=1e-6)
        np.testing.assert_allclose(found[2:], [-13.8, 13.8], atol=0.1)
    np.testing.assert_array_equal(preference_of(STARS, "rating"), STARS)
