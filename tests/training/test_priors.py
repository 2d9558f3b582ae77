from __future__ import annotations

import numpy as np
import pytest

from recommender.config import RetrievalSettings
from recommender.data.interactions import Interactions
from recommender.errors import ConfigError
from recommender.models.item_to_item_prior import ItemToItemPrior, PairTable
from recommender.models.rated_last import rated_last_lifts
from recommender.models.rated_sequence import RatedSequence
from recommender.training import priors
from recommender.training.priors import fit_priors

MOVIES, USERS = 12, 30
PAIRS = ["transition", "nearby", "recent_nearby", "ease", "recent_ease"]


def ratings() -> Interactions:
    """Every user rates from some movie on upwards, in file order of movies and not of time."""
    random = np.random.default_rng(3)
    first = random.integers(0, MOVIES - 4, USERS)
    user = np.repeat(np.arange(USERS, dtype=np.int32), 5)
    movie = (first[:, np.newaxis] + np.arange(5)).ravel().astype(np.int32)
    order = random.permutation(len(user))
    columns = (user, movie, np.ones(len(user), np.float32), 100 + movie.astype(np.int64), 0 * user)
    return Interactions(*(column[order] for column in columns), num_users=USERS, num_movies=MOVIES)


def fitted(*names: str) -> dict[str, priors.Table]:
    return fit_priors(RetrievalSettings(priors=list(names)), ratings())


def best(table: priors.Table, *rated: int) -> int:
    """The movie, by index, that scores highest of those not rated; rated are the oldest first."""
    assert isinstance(table, PairTable)
    movies = np.array([rated])
    sequence = RatedSequence(movies, np.ones(movies.shape), np.zeros(movies.shape))
    scores = ItemToItemPrior(table)(sequence).numpy()[0]
    scores[[0, *rated]] = -np.inf
    return int(scores.argmax())


def test_ratings_are_read_in_order_of_time() -> None:
    assert best(fitted("transition")["transition"], 5) == 6
    in_order = np.lexsort((ratings().timestamp, ratings().user))
    lifts = rated_last_lifts(ratings().movie[in_order] + 1, ratings().user[in_order], MOVIES)
    np.testing.assert_array_equal(fitted("rated_last")["rated_last"], lifts)


def test_recent_tables_hear_the_newest_rating_best() -> None:
    found = fitted("nearby", "recent_nearby")
    assert best(found["recent_nearby"], 3, 9) in (8, 10)
    assert best(found["recent_nearby"], 9, 3) in (2, 4)
    assert best(found["nearby"], 3, 9) == best(found["nearby"], 9, 3)


def test_near_is_before_and_after() -> None:
    """Movie 12 is always the last, so nothing follows it."""
    assert best(fitted("recent_nearby")["recent_nearby"], 12) == 11


def test_a_rating_counts_half_of_one_a_week_later_for_recent_popularity() -> None:
    weeks = np.array([0, 1, 2, 2]) * 7 * 86_400
    user, movie = np.array([0, 0, 0, 1]), np.array([1, 0, 1, 2])
    known = Interactions(user, movie, np.ones(4), weeks, np.zeros(4, np.int8), num_users=2, num_movies=4)
    found = fit_priors(RetrievalSettings(priors=["recent_popularity"]), known)["recent_popularity"]
    np.testing.assert_allclose(found, [1, 1 + 0.5, 1 + 0.25 + 1, 1 + 1, 1])


def test_only_tables_of_pairs_are_refused_where_there_are_too_many_movies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(priors, "EASE_MAX_MOVIES", MOVIES - 1)
    for name in PAIRS:
        with pytest.raises(ConfigError, match=r"retrieval.priors: .* at most 11 .* 12"):
            fitted("rated_last", name)
    assert fitted("rated_last")["rated_last"].shape == (MOVIES + 1,)
