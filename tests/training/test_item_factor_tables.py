from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommender.config import Settings
from recommender.data.prepared import Prepared
from recommender.models.heads.foldin import FOLD
from recommender.models.ranking import RankingModel
from recommender.training import Trained
from recommender.training.item_factors import fit_factors, prepare_head
from recommender.training.ranking import build_ranking, predict, ranking_examples, train_ranking

OPTIONS = {"factors": 3, "iterations": 5, "folds": 3, "hidden": [8]}


def foldin(settings: Settings, **options: Any) -> Settings:
    ranking = {"head": "foldin", "head_options": {**OPTIONS, **options}}
    return settings.model_copy(update={"ranking": settings.ranking.model_copy(update=ranking)})


@pytest.fixture(scope="module")
def head_settings(settings: Settings) -> Settings:
    return foldin(settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("foldin")


@pytest.fixture(scope="module")
def fitted(head_settings: Settings, prepared: Prepared, folder: Path) -> RankingModel:
    return train_ranking(head_settings, prepared, folder)[0]


def changed(prepared: Prepared, rating: np.ndarray) -> Prepared:
    """The same data with other ratings."""
    other = Prepared(prepared.folder)
    other.__dict__["interactions"] = replace(prepared.interactions, rating=rating.astype(np.float32))
    fit_factors.cache_clear()  # which goes by the folder
    return other


def table(settings: Settings, prepared: Prepared, tmp_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """What training puts into the head, and the fold of each training row."""
    model, examples = build_ranking(settings, prepared), ranking_examples(settings, prepared, "train")
    prepare_head(model.head, examples, settings, prepared, tmp_path)
    return model.head.movies.table.numpy(), examples[FOLD]


def test_a_training_row_looks_up_factors_that_its_user_had_no_part_in(
    head_settings: Settings, prepared: Prepared, tmp_path: Path
) -> None:
    before, folds = table(head_settings, prepared, tmp_path)
    interactions, training = prepared.interactions, prepared.interactions.part("train")
    of_fold = np.isin(interactions.user, training.user[folds == 2])
    turned = np.where(of_fold, 6.0 - interactions.rating, interactions.rating)
    after = table(head_settings, changed(prepared, turned), tmp_path)[0]
    fit_factors.cache_clear()
    # Bias, both variances and count; the factors are turned towards the full fit, which has changed.
    np.testing.assert_allclose(after[2, :, :4], before[2, :, :4], atol=1e-5)
    for fold in (0, 1, 3):
        assert np.abs(after[fold, :, 0] - before[fold, :, 0]).max() > 0.05


def test_ratings_of_later_splits_have_no_part_in_the_factors(
    head_settings: Settings, prepared: Prepared, tmp_path: Path
) -> None:
    before = table(head_settings, prepared, tmp_path)[0]
    interactions = prepared.interactions
    other = np.where(interactions.split > 0, 6.0 - interactions.rating, interactions.rating)
    after = table(head_settings, changed(prepared, other), tmp_path)[0]
    fit_factors.cache_clear()
    np.testing.assert_array_equal(after, before)


def test_every_row_of_a_user_has_the_same_fold(
    head_settings: Settings, prepared: Prepared, tmp_path: Path
) -> None:
    folds, user = table(head_settings, prepared, tmp_path)[1], prepared.interactions.part("train").user
    assert len(set(zip(user, folds, strict=True))) == len(set(user))
    assert set(folds) == {1, 2, 3}


def test_only_training_rows_have_a_fold(head_settings: Settings, prepared: Prepared) -> None:
    for split in ("validation", "test"):
        assert FOLD not in ranking_examples(head_settings, prepared, split)


@pytest.mark.slow
def test_training_twice_gives_the_same_model(
    head_settings: Settings, prepared: Prepared, fitted: RankingModel, tmp_path: Path
) -> None:
    again = train_ranking(head_settings, prepared, tmp_path)[0]
    rows = ranking_examples(head_settings, prepared, "validation")
    np.testing.assert_allclose(predict(again, rows), predict(fitted, rows), atol=1e-5)


def test_what_a_checkpoint_holds_is_not_fitted_again(
    head_settings: Settings,
    prepared: Prepared,
    fitted: RankingModel,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("recommender.training.item_factors.fit_factors", None)
    loaded = train_ranking(head_settings, prepared, folder)[0]
    rows = ranking_examples(head_settings, prepared, "validation")
    np.testing.assert_array_equal(predict(loaded, rows), predict(fitted, rows))


def test_the_bias_of_a_movie_follows_the_ratings_since_training(
    prepared: Prepared, head_settings: Settings, fitted: RankingModel
) -> None:
    head, rows = fitted.head, ranking_examples(head_settings, prepared, "test")
    movies = head.movies(rows["movie_id"])
    known = np.bincount(prepared.interactions.part("train").movie + 1, minlength=head.movies.num_rows)
    np.testing.assert_array_equal(head.updated_bias.count, known)
    moved = head.updated_bias(movies, rows).numpy() - movies.bias.numpy()
    more = rows["movie_count"] > known[rows["movie_id"]]
    assert more.any()
    assert not moved[~more].any()
    assert np.abs(moved[more]).mean() > 0.01
    # Towards what those ratings were.
    residual = rows["rating"] - movies.bias.numpy() - prepared.schema.rating_mean
    assert np.corrcoef(moved[more], residual[more])[0, 1] > 0


def test_where_the_splits_overlap_in_time_biases_stay_as_they_were_fitted(
    head_settings: Settings, prepared: Prepared, tmp_path: Path
) -> None:
    random = Prepared(prepared.folder)
    random.__dict__["schema"] = prepared.schema.model_copy(update={"split": "random"})
    model = build_ranking(head_settings, random)
    rows = ranking_examples(head_settings, random, "test")
    prepare_head(model.head, {}, head_settings, random, tmp_path)
    movies = model.head.movies(rows["movie_id"])
    np.testing.assert_array_equal(model.head.updated_bias(movies, rows), movies.bias)


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["like", "implicit"])
def test_it_learns_the_other_objectives_too(
    objective: str, head_settings: Settings, prepared: Prepared, tmp_path: Path
) -> None:
    ranking = head_settings.ranking.model_copy(update={"objective": objective, "negatives": 2})
    settings = head_settings.model_copy(update={"ranking": ranking})
    progress = train_ranking(settings, prepared, tmp_path)[1]
    assert progress.loss[-1] < progress.loss[0]


@pytest.mark.slow
def test_an_exported_version_predicts_as_the_model_does(
    head_settings: Settings, prepared: Prepared, trained: Trained, fitted: RankingModel, tmp_path: Path
) -> None:
    import tensorflow as tf

    from recommender.export import export

    version = tmp_path / "1"
    export(head_settings, prepared, replace(trained, ranking=fitted), {}, version)
    snapshot, users = prepared.snapshot("serving"), np.array([0, 5, 5, 60])
    movies = np.array([3, 3, 70, 1])
    columns = {name: values[users] for name, values in snapshot.users.items()}
    columns |= {name: values[movies] for name, values in snapshot.movies.items()}
    features = ranking_examples(head_settings, prepared, "test").keys() - {"rating"}
    expected = predict(fitted, {name: columns[name] for name in features})
    answer = tf.saved_model.load(str(version)).signatures["predict_by_id"](
        user_id=tf.constant(prepared.users["user_id"].to_numpy()[users].tolist()),
        movie_id=tf.constant(prepared.movies["movie_id"].to_numpy()[movies].tolist()),
    )
    np.testing.assert_allclose(answer["rating"], expected, atol=1e-5)
