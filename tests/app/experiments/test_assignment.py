"""Users are spread over variants by weight, for good, and independently in each experiment."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import chi2_contingency, chisquare

from recommender.app.experiments.assignment import assign
from recommender.app.experiments.decision import Decision, decide
from recommender.app.settings import AppSettings

USERS = [f"user-{number}" for number in range(20_000)]
WEIGHTS = {"two_stage": 2.0, "rating": 1.0, "popular": 1.0}
UNLIKELY = 1e-4  # of what is drawn by chance; the hash is fixed, so a test that passes goes on passing
MODELS = {"decides": "model", "variants": {"two_stage": 1.0, "popular": 1.0}}
DIVERSITY = {"decides": "diversity", "variants": {"0": 1.0, "0.5": 1.0}}


def settings(**experiments: dict) -> AppSettings:
    return AppSettings.model_validate({"experiments": experiments})


def test_assignments_are_the_same_in_every_process() -> None:
    code = (
        "import json; from recommender.app.experiments.assignment import assign; "
        f"print(json.dumps([assign(str(user), 'order', {WEIGHTS}) for user in range(200)]))"
    )
    here = [assign(str(user), "order", WEIGHTS) for user in range(200)]
    for seed in ("1", "2"):  # Python's own hash differs between these processes
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", code]
        printed = subprocess.run(command, env=environment, check=True, capture_output=True).stdout
        assert json.loads(printed) == here


def test_assignments_do_not_change_between_releases() -> None:
    found = [assign(user, "order", WEIGHTS) for user in ("1", "2", "3", "196", "Zoë", "")]
    assert found == ["two_stage", "two_stage", "two_stage", "rating", "two_stage", "two_stage"]


def test_variants_have_users_in_proportion_to_their_weights() -> None:
    found = [assign(user, "order", WEIGHTS) for user in USERS]
    counts = [found.count(variant) for variant in WEIGHTS]
    expected = np.array(list(WEIGHTS.values())) / sum(WEIGHTS.values()) * len(USERS)
    assert chisquare(counts, expected).pvalue > UNLIKELY


def test_the_variant_in_one_experiment_says_nothing_of_the_variant_in_another() -> None:
    first, second = ([assign(user, name, WEIGHTS) for user in USERS] for name in ("order", "order-2"))
    table = [
        [sum(pair == (one, other) for pair in zip(first, second, strict=True)) for other in WEIGHTS]
        for one in WEIGHTS
    ]
    assert chi2_contingency(table).pvalue > UNLIKELY


def test_a_variant_of_weight_0_gets_nobody() -> None:
    weights = {"off": 0.0, "on": 1.0, "also off": 0.0}
    assert {assign(user, "order", weights) for user in USERS} == {"on"}


def test_only_users_between_the_old_and_the_new_boundary_move_when_weights_change() -> None:
    before = [assign(user, "order", {"a": 1.0, "b": 1.0}) for user in USERS]
    after = [assign(user, "order", {"a": 3.0, "b": 1.0}) for user in USERS]
    moved = {pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]}
    assert moved == {("b", "a")}


def test_a_users_variant_stays_when_another_experiment_is_added_or_changed() -> None:
    alone = settings(order=MODELS)
    beside = settings(spread=DIVERSITY, order=MODELS)
    changed = settings(spread={"decides": "diversity", "variants": {"0.9": 1.0}}, order=MODELS)
    for user in USERS[:500]:
        variants = {decide(given, user).variant for given in (alone, beside, changed)}
        assert len(variants) == 1


def test_without_an_experiment_the_settings_decide() -> None:
    assert decide(AppSettings(), "1") == Decision("two_stage", 0.0, "default", {})


def test_an_experiment_decides_and_is_named() -> None:
    decision = decide(settings(order=MODELS, spread=DIVERSITY), "1")
    assert decision.assigned_by == "order"
    assert decision.assignments["order"] == decision.variant
    assert float(decision.assignments["spread"]) == decision.diversity


@pytest.mark.parametrize("user", ["1", "2", "3"])
def test_an_experiment_that_a_request_overrides_does_not_count(user: str) -> None:
    decision = decide(settings(order=MODELS, spread=DIVERSITY), user, variant="retrieval")
    assert (decision.variant, decision.assigned_by) == ("retrieval", "override")
    assert list(decision.assignments) == ["spread"]
    decision = decide(settings(order=MODELS, spread=DIVERSITY), user, diversity=0.25)
    assert (decision.diversity, decision.assigned_by) == (0.25, "order")
    assert list(decision.assignments) == ["order"]
