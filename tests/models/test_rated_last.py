from __future__ import annotations

import numpy as np
import pytest

from recommender.models import rated_last
from recommender.models.rated_last import PRIOR, rated_last_lifts


def test_a_lift_is_how_many_of_a_movies_ratings_were_last_over_how_many_would_be_by_chance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rated_last, "LAST", 2)
    users = np.array([0, 0, 0, 0, 2, 3, 3, 3])
    movies = np.array([1, 2, 3, 4, 1, 2, 1, 3])
    share = 5 / 8  # of all ratings: the last two of users 0 and 3, the only one of user 2
    found = {1: 2, 2: 0, 3: 2, 4: 1}
    counts = {1: 3, 2: 2, 3: 2, 4: 1}
    expected = [(found[movie] + PRIOR) / (counts[movie] * share + PRIOR) for movie in (1, 2, 3, 4)]
    lifts = rated_last_lifts(movies, users, num_movies=5)
    np.testing.assert_allclose(lifts[1:5], expected, rtol=1e-6)
    np.testing.assert_array_equal(lifts[[0, 5]], 1.0)


def test_without_ratings_every_movie_is_as_likely_as_by_chance() -> None:
    nothing = np.zeros(0, np.int32)
    np.testing.assert_array_equal(rated_last_lifts(nothing, nothing, num_movies=3), np.ones(4))
