from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recommender.config import RetrievalTrainingSettings, Settings, load_settings
from recommender.data.prepared import Prepared
from recommender.errors import ConfigError
from recommender.evaluation.ranking import evaluate_ranking
from recommender.models import retrieval
from recommender.models.retrieval import RetrievalModel
from recommender.training import priors
from recommender.training.fit import Progress
from recommender.training.retrieval import RetrievalScorer, build_retrieval, train_retrieval

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
    mixture = model.mixture.numpy()
    model.mixture.assign(np.eye(len(mixture))[0])  # the tower alone, as while training
    report = evaluate_ranking(scorer, known, held_out, [k])
    model.mixture.assign(mixture)
    assert report.metrics[f"ndcg@{k}"] == pytest.approx(max(progress.validation), abs=1e-6)


def test_towers_and_priors_weigh_what_makes_validation_most_likely(
    prepared: Prepared, fitted: Fitted
) -> None:
    model, _ = fitted
    known, held_out = prepared.interactions.before("validation"), prepared.interactions.part("validation")
    users = np.unique(held_out.user)
    seen = known.matrix()[users].toarray() > 0
    share = held_out.matrix()[users].toarray()
    share /= share.sum(axis=1, keepdims=True)
    columns = {name: column[users] for name, column in prepared.snapshot("validation").users.items()}

    def likelihood(weights: np.ndarray) -> float:
        model.mixture.assign(weights)
        said = np.where(seen, -1e9, model.scores(columns).numpy()[:, 1:].astype(np.float64))
        said -= np.log(np.exp(said).sum(axis=1, keepdims=True))
        return float((share * said).sum() / len(users))

    found = model.mixture.numpy()
    best = likelihood(found)
    assert (found >= 0).all()
    for expert in range(len(found)):
        for change in (-0.2, 0.2):
            other = found + change * np.eye(len(found))[expert]
            assert likelihood(np.maximum(other, 0)) <= best + 1e-5
    model.mixture.assign(found)


def test_a_batch_of_users_is_scored_as_each_alone(prepared: Prepared, fitted: Fitted) -> None:
    model, _ = fitted
    columns = prepared.snapshot("test").users
    users = [0, 7, prepared.schema.num_users - 1]
    batched = scores(model, prepared, users)
    assert batched.shape == (3, prepared.schema.num_movies)
    for row, user in enumerate(users):
        alone = model.scores({name: column[[user]] for name, column in columns.items()}).numpy()
        np.testing.assert_allclose(batched[row], alone[0, 1:], atol=1e-4)


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


@pytest.mark.parametrize(
    "changes",
    [{"targets": "left_out"}, {"softmax": "sampled", "history_encoder": ["pooled"]}],
    ids=["left_out", "sampled"],
)
def test_other_targets_and_losses_train(
    settings: Settings, prepared: Prepared, tmp_path: Path, changes: dict[str, object]
) -> None:
    training = RetrievalTrainingSettings(epochs=3, batch_size=64, learning_rate=0.02)
    changed = with_retrieval(settings, training=training, **changes)
    _, progress = train_retrieval(changed, prepared, tmp_path)
    assert progress.loss[-1] < progress.loss[0]


@pytest.mark.parametrize("name", ["liked_movies", "shoe_size"])
def test_user_features_that_change_with_every_rating_are_an_error(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"retrieval.user_features: must be among .*'{name}'"):
        load_settings(overrides=[f"retrieval.user_features=[user_id, {name}]"], environ={})


def test_tables_of_pairs_are_refused_where_there_are_too_many_movies(
    settings: Settings, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(priors, "EASE_MAX_MOVIES", 79)
    with pytest.raises(ConfigError, match=r"retrieval.priors: .* at most 79 .* 80: keep rated_last"):
        build_retrieval(settings, prepared)
    build_retrieval(with_retrieval(settings, priors=[]), prepared)


def test_all_movies_are_compared_only_where_there_are_not_too_many(
    settings: Settings, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieval, "MOST_COMPARED", 79)
    with pytest.raises(ConfigError, match=r"retrieval.softmax: full .* at most 79, .* 80: set .*=sampled"):
        build_retrieval(settings, prepared)
    build_retrieval(with_retrieval(settings, softmax="sampled"), prepared)
