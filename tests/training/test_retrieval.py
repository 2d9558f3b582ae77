from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from recommender.config import Settings, load_settings
from recommender.data.prepared import Prepared
from recommender.errors import ConfigError
from recommender.evaluation.ranking import evaluate_ranking
from recommender.models.retrieval import RetrievalModel
from recommender.training.fit import Progress
from recommender.training.retrieval import (
    RetrievalScorer,
    build_retrieval,
    retrieval_examples,
    train_retrieval,
)

Fitted = tuple[RetrievalModel, Progress]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("retrieval")


@pytest.fixture(scope="module")
def fitted(settings: Settings, prepared: Prepared, folder: Path) -> Fitted:
    return train_retrieval(settings, prepared, folder)


def scores(model: RetrievalModel, prepared: Prepared, users: list[int]) -> np.ndarray:
    return RetrievalScorer(model, prepared.snapshot("test")).scores(np.array(users, np.int32))


def with_retrieval(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update={"retrieval": settings.retrieval.model_copy(update=changes)})


def test_training_lowers_the_loss_and_reports_each_epoch(settings: Settings, fitted: Fitted) -> None:
    _, progress = fitted
    assert progress.loss[-1] < progress.loss[0]
    assert len(progress.validation) == settings.retrieval.training.epochs
    assert progress.best_epoch == np.argmax(progress.validation)


def test_the_weights_are_those_whose_candidates_validated_best(
    settings: Settings, prepared: Prepared, fitted: Fitted
) -> None:
    model, progress = fitted
    known, held_out = prepared.interactions.before("validation"), prepared.interactions.part("validation")
    scorer, k = RetrievalScorer(model, prepared.snapshot("validation")), settings.retrieval.candidates
    report = evaluate_ranking(scorer, known, held_out, [k])
    assert report.metrics[f"ndcg@{k}"] == pytest.approx(max(progress.validation), abs=1e-6)


def test_scores_are_the_inner_products_of_the_two_towers(prepared: Prepared, fitted: Fitted) -> None:
    model, _ = fitted
    columns = prepared.snapshot("test").users
    users = [0, 7, prepared.schema.num_users - 1]
    batched = scores(model, prepared, users)
    assert batched.shape == (3, prepared.schema.num_movies)
    for row, user in enumerate(users):
        vector = model.user_tower({name: column[[user]] for name, column in columns.items()})[0].numpy()
        for movie in range(prepared.schema.num_movies):
            expected = vector @ model.movie_tower(np.array([movie + 1]))[0].numpy()
            assert batched[row, movie] == pytest.approx(expected, abs=1e-5)


def test_a_new_user_without_history_gets_an_answer(prepared: Prepared, fitted: Fitted) -> None:
    snapshot = prepared.snapshot("validation")
    new = np.flatnonzero((snapshot.users["history_movies"] == 0).all(axis=1)).astype(np.int32)
    assert len(new) > 0
    assert new.min() >= prepared.schema.known_users
    assert np.isfinite(RetrievalScorer(fitted[0], snapshot).scores(new)).all()


def test_a_finished_fit_is_loaded_and_answers_the_same(
    settings: Settings, prepared: Prepared, folder: Path, fitted: Fitted
) -> None:
    model, progress = fitted
    again, loaded = train_retrieval(settings, prepared, folder)
    assert loaded == progress
    np.testing.assert_array_equal(scores(again, prepared, [0, 1]), scores(model, prepared, [0, 1]))


def test_the_same_seed_gives_the_same_numbers_and_another_others(
    settings: Settings, prepared: Prepared, fitted: Fitted, tmp_path: Path
) -> None:
    _, same = train_retrieval(settings, prepared, tmp_path / "same")
    _, other = train_retrieval(settings.model_copy(update={"seed": 1}), prepared, tmp_path / "other")
    assert same == fitted[1]
    assert other.loss != same.loss


def test_point_in_time_rows_show_the_user_before_the_rating(settings: Settings, prepared: Prepared) -> None:
    rows, transform = retrieval_examples(settings.retrieval, prepared, prepared.snapshot("validation"))
    assert transform is None
    first = np.unique(prepared.interactions.part("train").user, return_index=True)[1]
    assert not rows["history_movies"][first].any()
    assert rows["history_movies"].any()


def test_leave_one_out_rows_show_all_other_movies_of_the_user(settings: Settings, prepared: Prepared) -> None:
    changed = with_retrieval(settings, history="leave_one_out").retrieval
    snapshot = prepared.snapshot("validation")
    rows, transform = retrieval_examples(changed, prepared, snapshot)
    assert transform is not None
    batch = {name: tf.constant(column[:50]) for name, column in rows.items()}
    shown = {name: column.numpy() for name, column in transform(batch).items()}
    training = prepared.interactions.part("train")
    np.testing.assert_array_equal(shown["movie_id"], training.movie[:50] + 1)
    np.testing.assert_array_equal(shown["user_id"], training.user[:50] + 1)
    removed = 0
    for row, user in enumerate(training.user[:50]):
        whole = snapshot.users["history_movies"][user]
        kept = whole != training.movie[row] + 1
        removed += (~kept).sum()
        np.testing.assert_array_equal(shown["history_movies"][row], whole * kept)
        ratings = snapshot.users["history_ratings"][user]
        np.testing.assert_array_equal(shown["history_ratings"][row], ratings * kept)
    assert removed > 0


def test_leave_one_out_trains(settings: Settings, prepared: Prepared, tmp_path: Path) -> None:
    _, progress = train_retrieval(with_retrieval(settings, history="leave_one_out"), prepared, tmp_path)
    assert progress.loss[-1] < progress.loss[0]


def test_features_that_give_the_left_out_movie_away_are_an_error() -> None:
    telling = ["retrieval.history=leave_one_out", "retrieval.user_features=[user_id, liked_movies]"]
    with pytest.raises(ConfigError, match=r"retrieval: .*leave_one_out.*'liked_movies'"):
        load_settings(overrides=telling, environ={})
    assert load_settings(overrides=telling[1:], environ={}).retrieval.history == "point_in_time"


def test_unknown_features_are_an_error(settings: Settings, prepared: Prepared) -> None:
    with pytest.raises(ConfigError, match=r"retrieval.user_features: .*'shoe_size'"):
        build_retrieval(with_retrieval(settings, user_features=["shoe_size"]), prepared)
