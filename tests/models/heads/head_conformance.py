"""What every head must do: a new head gets these tests by subclassing `HeadConformance`."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
import tensorflow as tf

from recommender.config import Settings, read_preset
from recommender.data.batches import batches
from recommender.data.encode import Arrays
from recommender.data.prepared import Prepared
from recommender.export.ranker import Ranker
from recommender.export.rows import FEATURE_OF
from recommender.models.context import context_at
from recommender.models.ranking import RankingModel
from recommender.training.placement.one_process import HERE
from recommender.training.ranking import build_ranking, predict, ranking_examples


class HeadConformance:
    """Subclass it, name the head; `options` make it small enough for tests.

    It sees the features of the preset `mlp`, which are nearly all that there are, and `more_features`.
    """

    head: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}
    more_features: ClassVar[list[str]] = []

    @pytest.fixture
    def head_settings(self, settings: Settings) -> Settings:
        features = [*read_preset("mlp")["ranking"]["features"], *self.more_features]
        ranking = settings.ranking.model_copy(
            update={"head": self.head, "head_options": self.options, "features": features}
        )
        return settings.model_copy(update={"ranking": ranking})

    @pytest.fixture
    def model(self, head_settings: Settings, prepared: Prepared) -> RankingModel:
        tf.keras.utils.set_random_seed(1)
        return build_ranking(head_settings, prepared)

    @pytest.fixture
    def examples(self, head_settings: Settings, prepared: Prepared) -> Arrays:
        return ranking_examples(head_settings, prepared, "train")

    @staticmethod
    def rows(examples: Arrays, n: int) -> Arrays:
        last = slice(-n, None)  # the newest: rows with a history
        return {name: values[last] for name, values in examples.items()}

    def test_one_finite_score_a_row(self, model: RankingModel, examples: Arrays) -> None:
        scores = model(next(iter(batches(examples, 32))))
        assert scores.shape == (32,)
        assert np.isfinite(scores).all()

    def test_a_batch_scores_as_its_rows_do_alone(self, model: RankingModel, examples: Arrays) -> None:
        rows = self.rows(examples, 5)
        alone = np.concatenate([model(batch).numpy() for batch in batches(rows, 1)])
        np.testing.assert_allclose(model(next(iter(batches(rows, 5)))), alone, atol=1e-5)

    def test_overfits_ten_rows(self, model: RankingModel, examples: Arrays) -> None:
        rows = self.rows(examples, 10)
        rows["rating"] = np.array([1, 5, 2, 4, 3, 5, 1, 4, 2, 3], np.float32)
        model.embedding.unknown_user_rate = model.embedding.unknown_movie_rate = 0.0
        model.compile(optimizer=tf.keras.optimizers.Adam(0.02))
        model(rows)
        model.optimizer.build(model.trainable_variables)
        run = HERE.runner(model, lambda batch: batch, lambda: None, lambda number: None)
        run(batches(rows, 10).repeat(300), 300)
        assert np.sqrt(np.mean((model(rows).numpy() - rows["rating"]) ** 2)) < 0.2

    def test_every_weight_has_a_gradient(self, model: RankingModel, examples: Arrays) -> None:
        rows = {name: tf.constant(values) for name, values in self.rows(examples, 64).items()}
        with tf.GradientTape() as tape:
            loss = model.compute_loss(rows)
        gradients = tape.gradient(loss, model.head.trainable_variables)
        assert gradients
        assert all(gradient is not None for gradient in gradients)

    def test_people_and_movies_of_whom_nothing_is_known_have_a_finite_score(
        self, model: RankingModel, examples: Arrays
    ) -> None:
        rows = self.rows(examples, 4)
        for name in rows.keys() - {"rating"}:
            rows[name] = np.full_like(rows[name], FEATURE_OF[name].missing)
        assert np.isfinite(model(rows)).all()

    def test_candidates_of_one_user_score_in_a_saved_model_as_pairs_do_here(
        self, model: RankingModel, head_settings: Settings, prepared: Prepared, tmp_path
    ) -> None:
        snapshot = prepared.snapshot("serving")
        user = {name: tf.constant(column[3:4]) for name, column in snapshot.users.items()}
        movies = {name: tf.constant(column[:20]) for name, column in snapshot.movies.items()}
        timestamp = tf.constant([snapshot.timestamp])
        repeated = {name: tf.repeat(column, 20, axis=0) for name, column in user.items()}
        expected = model.predictions({**repeated, **movies, **context_at(tf.repeat(timestamp, 20))})

        module = tf.Module()
        module.ranker = Ranker(model, head_settings.ranking)
        module.rank = tf.function(module.ranker.of_candidates)
        module.rank(user, movies, timestamp)
        tf.saved_model.save(module, str(tmp_path / "saved"))
        loaded = tf.saved_model.load(str(tmp_path / "saved"))
        np.testing.assert_allclose(loaded.rank(user, movies, timestamp), expected, atol=1e-5)

    def test_weights_saved_and_loaded_give_the_same_scores(
        self, model: RankingModel, examples: Arrays, head_settings: Settings, prepared: Prepared, tmp_path
    ) -> None:
        rows = self.rows(examples, 20)
        expected = predict(model, rows)
        tf.train.Checkpoint(model=model).write(str(tmp_path / "weights"))
        other = build_ranking(head_settings, prepared)
        predict(other, rows)
        tf.train.Checkpoint(model=other).read(str(tmp_path / "weights")).assert_consumed()
        np.testing.assert_array_equal(predict(other, rows), expected)
