from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recommender.deployment.selection import best_version, lower_is_better, select_version
from recommender.deployment.settings import BestBySettings, ModelSettings
from recommender.errors import ConfigError, RecommenderError

Publish = Callable[[int, dict[str, Any]], None]


@pytest.fixture
def publish(tmp_path: Path) -> Publish:
    def publish(number: int, models: dict[str, Any]) -> None:
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "metrics.json").write_text(json.dumps({"models": models}), encoding="utf-8")

    return publish


def validation(model: str, **metrics: Any) -> dict[str, Any]:
    return {model: {"validation": metrics}}


def test_the_latest_version_is_the_one_with_the_highest_number(publish: Publish, tmp_path: Path) -> None:
    for number in (2, 10, 9):
        publish(number, {})
    assert select_version(ModelSettings(), tmp_path).number == 10
    assert select_version(ModelSettings(version=9), tmp_path).number == 9
    with pytest.raises(RecommenderError, match="no version 3, there are 2, 9, 10"):
        select_version(ModelSettings(version=3), tmp_path)


def test_the_lowest_error_is_the_best(publish: Publish, tmp_path: Path) -> None:
    for number, rmse in enumerate([0.95, 0.91, 0.99], start=1):
        publish(number, validation("deep_ranking", rmse=rmse))
    assert select_version(ModelSettings(version="best"), tmp_path).number == 2


def test_the_highest_ranking_quality_is_the_best(publish: Publish, tmp_path: Path) -> None:
    for number, ndcg in enumerate([0.1, 0.3, 0.2], start=1):
        publish(number, {"two_tower_retrieval": {"test": {"ndcg@10": ndcg}}})
    best_by = BestBySettings(model="two_tower_retrieval", metric="ndcg@10", split="test")
    assert best_version(best_by, tmp_path).number == 2


def test_of_equals_the_newest_is_the_best(publish: Publish, tmp_path: Path) -> None:
    for number in (1, 2):
        publish(number, validation("deep_ranking", rmse=0.9, auc=0.7))
    assert best_version(BestBySettings(), tmp_path).number == 2
    assert best_version(BestBySettings(metric="auc"), tmp_path).number == 2


def test_versions_that_were_not_measured_so_are_out(publish: Publish, tmp_path: Path) -> None:
    publish(1, validation("deep_ranking", rmse=0.9))
    publish(2, validation("deep_ranking", auc=0.7))
    publish(3, validation("deep_ranking", rmse=None))
    publish(4, {})
    (tmp_path / "5").mkdir()
    assert best_version(BestBySettings(), tmp_path).number == 1
    with pytest.raises(RecommenderError, match=r"no version has models\.item_mean\.validation\.rmse in its"):
        best_version(BestBySettings(model="item_mean"), tmp_path)


def test_no_version_at_all_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(RecommenderError, match="no exported version there; make one with `recommender run"):
        best_version(BestBySettings(), tmp_path)


@pytest.mark.parametrize("metric", ["novelty@10", "ratings", "nix", "by_history"])
def test_a_metric_without_a_better_direction_is_refused(metric: str) -> None:
    with pytest.raises(
        ConfigError, match=r"model\.best_by\.metric: must be one of accuracy, auc, .* received"
    ):
        lower_is_better(metric)


def test_every_metric_that_versions_are_compared_by_has_a_direction() -> None:
    from recommender.metrics.top_k import PER_USER_METRICS

    assert not any(lower_is_better(f"{name}@10") for name in (*PER_USER_METRICS, "accuracy"))
    assert not lower_is_better("hit_rate@10/99neg")
    assert not lower_is_better("auc")
    assert all(lower_is_better(name) for name in ("rmse", "mae", "log_loss"))
