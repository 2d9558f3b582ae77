"""The lists that a version serves are those that were measured."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from recommender.config import Settings, load_settings
from recommender.data.interactions import Interactions
from recommender.data.prepare import prepare
from recommender.data.prepared import Prepared, Snapshot
from recommender.evaluation.ranking import evaluate_ranking
from recommender.export.serving_module import ServingModule
from recommender.models.final_order import FinalOrder
from recommender.training import Trained, train
from recommender.training.final_order import two_stages

K = 10


class BeforeTest(Prepared):
    """The data as it was at the beginning of the test split."""

    def snapshot(self, name: str) -> Snapshot:
        return super().snapshot("test")

    @cached_property
    def interactions(self) -> Interactions:
        return Prepared(self.folder).interactions.before("test")


def check_lists(settings: Settings, prepared: Prepared, trained: Trained, sample: int) -> None:
    """Hold what a version served before the test split recommends against what was measured on that split."""
    interactions = prepared.interactions
    scorer = two_stages(settings, prepared, trained.retrieval, trained.ranking, trained.order, "test")
    report = evaluate_ranking(scorer, interactions.before("test"), interactions.part("test"), [K])
    rows = np.random.default_rng(0).permutation(len(report.users))[:sample]
    users = report.users[rows]
    recommend = tf.function(ServingModule(settings, BeforeTest(prepared.folder), trained).recommend)
    user_ids = tf.constant(prepared.users["user_id"].to_numpy()[users])
    answer = recommend(user_ids, tf.fill([len(users), 1], ""), tf.constant(K))
    measured = prepared.movies["movie_id"].to_numpy()[report.top[rows]]
    served = answer["movie_ids"].numpy().astype(str)
    np.testing.assert_allclose(
        answer["scores"], np.take_along_axis(scorer.scores(users), report.top[rows], axis=1), atol=1e-4
    )
    assert (served == measured).mean() > 0.999  # two scores that differ in the last bit may change places
    counts = prepared.snapshot("test").users["user_count"][users]
    assert (counts > 0).any()
    assert (counts == 0).any()  # newcomers, too


def test_what_a_version_recommends_is_what_was_measured(settings, prepared, trained) -> None:
    fitted = replace(trained.order, order=FinalOrder(0.7, 1.3))
    check_lists(settings, prepared, replace(trained, order=fitted), 1_000)


@pytest.mark.movielens
@pytest.mark.slow
def test_what_a_version_of_ml_100k_recommends_is_what_was_measured(
    movielens_home: Path, tmp_path: Path
) -> None:
    settings = load_settings(
        overrides=[
            f"data.archive={movielens_home / 'ml-100k'}",
            f"data.home={tmp_path}",
            "preset=mlp",
            "training.epochs=1",
            "retrieval.training.epochs=1",
        ],
        environ={},
    )
    prepared = prepare(settings)
    trained = train(settings, prepared, tmp_path / "run")
    fitted = replace(trained.order, order=FinalOrder(0.5, 1.0))
    check_lists(settings, prepared, replace(trained, order=fitted), 60)
