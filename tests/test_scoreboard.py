from __future__ import annotations

import json

import numpy as np
import pytest

from recommender import scoreboard
from recommender.config import Settings
from recommender.data.prepared import Prepared
from recommender.training import Trained
from recommender.training.ranking import predict, ranking_examples
from recommender.training.retrieval import RetrievalScorer


@pytest.fixture(scope="module")
def metrics(settings: Settings, prepared: Prepared, trained: Trained) -> dict:
    return scoreboard.evaluate(settings, prepared, trained)


def test_names_models_and_all_baselines_on_both_splits(metrics: dict) -> None:
    assert set(metrics["models"]) == {
        "deep_ranking",
        "global_mean",
        "item_mean",
        "user_item_bias",
        "running_bias",
        "two_tower_retrieval",
        "two_stage",
        "popularity",
        "popularity_3_day_half_life",
        "item_knn",
        "ials",
        "ease",
    }
    assert all(set(splits) == {"validation", "test"} for splits in metrics["models"].values())
    assert metrics["dataset"] == "synthetic"
    assert metrics["split"] == "time_range"


def test_is_valid_json_without_nan(metrics: dict) -> None:
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_the_deep_models_error_is_that_of_its_predictions(
    metrics: dict, settings: Settings, prepared: Prepared, trained: Trained
) -> None:
    examples = ranking_examples(settings, prepared, "test")
    error = predict(trained.ranking, examples) - examples["rating"]
    assert metrics["models"]["deep_ranking"]["test"]["rmse"] == pytest.approx(np.sqrt(np.mean(error**2)))


def test_the_retrieval_models_hits_are_those_of_a_plain_loop(
    metrics: dict, prepared: Prepared, trained: Trained
) -> None:
    known, held_out = prepared.interactions.before("test"), prepared.interactions.part("test")
    scorer = RetrievalScorer(trained.retrieval, prepared.snapshot("test"))
    users = np.unique(held_out.user)
    hits = 0
    for user, scores in zip(users, scorer.scores(users), strict=True):
        seen = set(known.movie[known.user == user])
        order = [movie for movie in np.argsort(-scores, kind="stable") if movie not in seen]
        hits += bool(set(order[:10]) & set(held_out.movie[held_out.user == user]))
    assert metrics["models"]["two_tower_retrieval"]["test"]["hit_rate@10"] == pytest.approx(hits / len(users))


def test_the_same_models_measure_the_same_twice(
    metrics: dict, settings: Settings, prepared: Prepared, trained: Trained
) -> None:
    assert scoreboard.evaluate(settings, prepared, trained) == metrics
