import numpy as np
import pytest

from recommender.data.interactions import Interactions
from recommender.evaluation.ranking import evaluate_ranking

MOVIES, USERS = 12, 40


class Nothing:
    """A linear model that knows nothing."""

    def scores(self, users):
        return np.zeros((len(users), MOVIES), np.float32)


def ratings(user, movie, timestamp) -> Interactions:
    n = len(user)
    columns = np.array(user, np.int32), np.array(movie, np.int32), np.ones(n, np.float32)
    return Interactions(*columns, np.array(timestamp, np.int64), np.zeros(n, np.int8), USERS, MOVIES)


@pytest.fixture
def circle() -> tuple[Interactions, Interactions]:
    """Everybody rates five movies in the order of codes, from one of their own on; then the next one."""
    start = np.arange(USERS) % MOVIES
    place = np.arange(6)
    user, movie = np.repeat(np.arange(USERS), 6), ((start[:, None] + place) % MOVIES).ravel()
    time = np.tile(place * 60, USERS)
    shuffled = np.random.default_rng(0).permutation(len(user))  # time says the order, not the file
    everything = ratings(user[shuffled], movie[shuffled], time[shuffled])
    return everything.where(everything.timestamp < 300), everything.where(everything.timestamp == 300)


def test_what_always_comes_next_comes_first(circle):
    from markov_linear import fit_markov_linear

    known, held_out = circle
    report = evaluate_ranking(fit_markov_linear(known, Nothing(), 1.0), known, held_out, [1])
    assert report.metrics["hit_rate@1"] == 1


def test_the_latest_rating_says_most(circle):
    from markov_linear import DECAY, fit_markov_linear

    known, _ = circle
    recent = fit_markov_linear(known, Nothing(), 1.0).recent.toarray()
    start = np.arange(USERS) % MOVIES
    for since in range(5):
        assert recent[np.arange(USERS), (start + 4 - since) % MOVIES] == pytest.approx(DECAY**since)


def test_distant_followers_count_less_and_rare_ones_are_shrunk():
    from markov_linear import PRIOR, fit_markov_linear

    known = ratings([0, 0, 0, 1], [3, 5, 7, 3], [1, 2, 3, 1])
    follows = fit_markov_linear(known, Nothing(), 1.0).follows.toarray()
    total = 1 + 1 / 2 + PRIOR
    assert follows[3, [5, 7]] == pytest.approx([1 / total, 0.5 / total])
    assert follows[5, 7] == pytest.approx(1 / (1 + PRIOR))
    assert np.count_nonzero(follows) == 3  # nothing follows from one user to the next


def test_the_chain_is_given_its_weight_by_validation(circle):
    from markov_linear import choose_weight

    class Wrong(Nothing):
        def scores(self, users):
            return np.tile(np.arange(MOVIES, dtype=np.float32), (len(users), 1))

    known, held_out = circle
    assert choose_weight(known, held_out, Wrong(), 3) > 0
