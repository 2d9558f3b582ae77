"""The weights of a linear listwise score, against known answers and another optimiser."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from recommender.training.listwise import fit_listwise


def lists_of(weights: list[float], num_lists: int = 4000, c: int = 8) -> tuple:
    """Lists whose one relevant movie is drawn with the softmax of a linear score."""
    generator = np.random.default_rng(3)
    features = generator.normal(size=(num_lists, c, len(weights)))
    scores = features @ np.array(weights) + generator.gumbel(size=(num_lists, c))
    relevant = np.eye(c, dtype=bool)[scores.argmax(axis=1)]
    return features, np.ones((num_lists, c), bool), relevant


def test_finds_the_weights_that_drew_the_data() -> None:
    found = fit_listwise(*lists_of([1.5, -0.7, 0.0]), np.zeros(3), 0.0)
    np.testing.assert_allclose(found, [1.5, -0.7, 0.0], atol=0.08)


def test_equals_another_optimiser_on_the_formula_written_out() -> None:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(30, 5, 2)) * [1.0, 20.0]
    present = generator.random((30, 5)) < 0.8
    relevant = present & (generator.random((30, 5)) < 0.3)
    used = np.flatnonzero(relevant.any(axis=1))
    prior, l2 = np.array([1.0, 0.0]), 0.3
    inside = [features[i][present[i]] for i in used]
    spread = np.sqrt(np.mean(np.concatenate([part - part.mean(axis=0) for part in inside]) ** 2, axis=0))

    def loss(weights: np.ndarray) -> float:
        losses = []
        for i in used:
            scores = features[i] @ weights
            shares = np.exp(scores) / np.exp(scores[present[i]]).sum()
            losses.append(-np.mean(np.log(shares[relevant[i]])))
        return np.mean(losses) + l2 / 2 * np.sum(((weights - prior) * spread) ** 2)

    expected = minimize(loss, prior, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-12}).x
    np.testing.assert_allclose(fit_listwise(features, present, relevant, prior, l2), expected, rtol=1e-3)


def test_what_is_the_same_for_a_whole_list_changes_no_weight() -> None:
    features, present, relevant = lists_of([1.0, 0.5], 500)
    shifted = features + np.random.default_rng(1).normal(size=(500, 1, 2)) * 100
    weights = [fit_listwise(each, present, relevant, np.zeros(2), 0.1) for each in (features, shifted)]
    np.testing.assert_allclose(*weights, rtol=1e-4)


def test_the_penalty_pulls_towards_the_prior() -> None:
    lists, prior = lists_of([2.0, 0.0], 500), np.array([0.0, 1.0])
    distances = [np.linalg.norm(fit_listwise(*lists, prior, l2) - prior) for l2 in (0.0, 1.0, 1e6)]
    assert distances[0] > distances[1] > distances[2]
    assert distances[2] == pytest.approx(0.0, abs=1e-5)


def test_without_a_relevant_candidate_the_prior_stays() -> None:
    features, present, relevant = lists_of([1.0], 10)
    assert fit_listwise(features, present, relevant & False, np.array([0.7]), 0.1).tolist() == [0.7]


def test_a_feature_that_never_differs_keeps_its_weight() -> None:
    features, present, relevant = lists_of([1.0, 0.0], 200)
    features[..., 1] = 5.0
    assert fit_listwise(features, present, relevant, np.array([0.0, 0.4]), 0.1)[1] == 0.4
