from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from recommender.training.mixture import most_likely_weights

USERS, MOVIES = 400, 12


def drawn(weights: list[float], seed: int = 0) -> tuple[np.ndarray, csr_array, csr_array]:
    """What two experts say, a known movie of each user, and movies drawn as a mixture of the experts says."""
    random = np.random.default_rng(seed)
    experts = random.normal(size=(2, USERS, MOVIES)).astype(np.float32)
    known = np.zeros((USERS, MOVIES))
    known[np.arange(USERS), random.integers(0, MOVIES, USERS)] = 1
    probability = np.exp(np.tensordot(weights, experts, 1)) * (1 - known)
    probability /= probability.sum(axis=1, keepdims=True)
    held_out = np.array([random.multinomial(30, row) for row in probability], float)
    return experts, csr_array(known), csr_array(held_out)


def test_finds_the_weights_by_which_movies_were_drawn() -> None:
    experts, known, held_out = drawn([0.5, 1.5])
    found = most_likely_weights(experts, known, held_out, np.array([1.0, 0.0]))
    np.testing.assert_allclose(found, [0.5, 1.5], atol=0.05)


def test_no_weight_lowers_the_score_of_what_an_expert_likes() -> None:
    experts, known, held_out = drawn([1.0, -0.5])
    assert most_likely_weights(experts, known, held_out, np.array([1.0, 0.0]))[1] == 0


@pytest.mark.parametrize("around", [0.9, 1.1])
def test_no_other_weights_are_more_likely(around: float) -> None:
    experts, known, held_out = drawn([0.3, 1.0])
    best = most_likely_weights(experts, known, held_out, np.array([1.0, 0.0]))

    def likelihood(weights: np.ndarray) -> float:
        mean = 0.0
        for user in range(USERS):
            free = known.toarray()[user] == 0
            scores = np.tensordot(weights, experts[:, user], 1)
            entries = held_out[[user]].indices
            share = held_out[[user]].data / 30
            mean += share @ (scores[entries] - np.log(np.exp(scores[free]).sum())) / USERS
        return mean

    assert likelihood(best) > likelihood(best * [around, 1])
    assert likelihood(best) > likelihood(best * [1, around])
