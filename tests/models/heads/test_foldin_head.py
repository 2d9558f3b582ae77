from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
import tensorflow as tf
from head_conformance import HeadConformance

from recommender.config import Settings
from recommender.data.encode import Arrays
from recommender.data.prepared import Prepared
from recommender.models.heads.foldin import FOLD
from recommender.models.ranking import RankingModel
from recommender.training.item_factors import prepare_head
from recommender.training.ranking import build_ranking, predict

OPTIONS = {"factors": 3, "iterations": 5, "folds": 3, "hidden": [16, 8], "dropout": 0.0}


class TestFoldInHead(HeadConformance):
    head = "foldin"
    options: ClassVar[dict[str, Any]] = OPTIONS

    @pytest.fixture
    def fitted(
        self, model: RankingModel, head_settings: Settings, prepared: Prepared, examples: Arrays, tmp_path
    ) -> RankingModel:
        """With factors of the training split, before any step of the optimizer."""
        prepare_head(model.head, examples, head_settings, prepared, tmp_path)
        return model

    def test_before_any_step_it_is_better_than_the_mean(self, fitted: RankingModel, examples: Arrays) -> None:
        rating = examples["rating"]
        error = np.sqrt(np.mean((predict(fitted, examples) - rating) ** 2))
        assert error < 0.95 * np.std(rating)

    def test_without_a_history_it_answers_as_the_movie_and_the_people_say(
        self, fitted: RankingModel, examples: Arrays, prepared: Prepared
    ) -> None:
        rows = {name: values[:6] for name, values in examples.items() if name != FOLD}
        for name in rows:
            if name.startswith("history_"):
                rows[name] = np.zeros_like(rows[name])
        rows["movie_count"] = np.zeros_like(rows["movie_count"])
        bias = fitted.head.movies(tf.constant(rows["movie_id"])).bias
        np.testing.assert_allclose(fitted(rows), bias + prepared.schema.rating_mean, atol=1e-5)

    def test_ratings_of_like_movies_move_it_and_lower_its_doubt(
        self, fitted: RankingModel, examples: Arrays
    ) -> None:
        rows = {name: values[-2:-1].copy() for name, values in examples.items() if name != FOLD}
        for name in ("history_movies", "history_ratings", "history_ages", "history_deviations"):
            rows[name][:, 5:] = 0
        rows["history_movies"][:, :5] = rows["movie_id"]
        scores = []
        for rating in (1.0, 3.0, 5.0):
            rows["history_ratings"][:, :5] = rating
            scores.append(float(fitted(rows)[0]))
        assert scores[0] + 0.2 < scores[1] < scores[2] - 0.2

    def test_in_training_the_closed_form_also_learns_from_the_stars(
        self, fitted: RankingModel, examples: Arrays, prepared: Prepared
    ) -> None:
        rows = self.rows(examples, 50)
        closed_form = fitted(rows)  # before any step it is all that there is
        assert fitted.losses == [] or sum(fitted.losses) == 0.0
        fitted.head.stars = 0.5
        fitted.embedding.unknown_user_rate = fitted.embedding.unknown_movie_rate = 0.0
        fitted(rows, training=True)
        squared = np.mean((rows["rating"] - closed_form.numpy()) ** 2)
        assert float(sum(fitted.losses)) == pytest.approx(0.5 * squared, rel=1e-4)
        fitted({name: values for name, values in rows.items() if name != "rating"}, training=True)
        assert not fitted.losses

    def test_a_training_row_is_scored_by_the_fit_without_its_user(
        self, fitted: RankingModel, examples: Arrays
    ) -> None:
        rows = self.rows(examples, 50)
        alone = {name: values for name, values in rows.items() if name != FOLD}
        table = fitted.head.movies.table
        tables = table.numpy()
        table.assign(np.stack([np.full_like(tables[0], np.nan), *tables[1:]]))
        assert np.isfinite(fitted(rows)).all()
        assert np.isnan(fitted(alone)).all()
        table.assign(np.stack([tables[0], *np.full_like(tables[1:], np.nan)]))
        assert np.isnan(fitted(rows)).all()
        assert np.isfinite(fitted(alone)).all()

    def test_nothing_need_be_known_of_people(
        self, head_settings: Settings, prepared: Prepared, examples: Arrays
    ) -> None:
        ranking = head_settings.ranking.model_copy(update={"features": ["movie_id", "history"]})
        model = build_ranking(head_settings.model_copy(update={"ranking": ranking}), prepared)
        rows = {name: tf.constant(values[:64]) for name, values in examples.items() if name != FOLD}
        assert np.isfinite(tf.function(model)(rows)).all()  # in a graph, where products are oneDNN's
