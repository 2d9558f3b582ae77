from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from recommender import training
from recommender.config import Settings, resolve
from recommender.data.prepare import prepare
from recommender.data.prepared import Prepared
from recommender.errors import ConfigError
from recommender.models.ranking import RankingModel
from recommender.training import ranking, retrieval
from recommender.training.fit import Progress
from recommender.training.priors import fit_priors
from recommender.training.ranking import predict, ranking_examples, refit_ranking
from recommender.training.retrieval import build_retrieval, refit_retrieval, training_rows


@pytest.fixture(scope="module")
def refitting(settings: Settings) -> Settings:
    return resolve(settings.model_dump(mode="json"), ["ranking.refit=true", "retrieval.refit=true"], {})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("refit")


@pytest.fixture(scope="module")
def refitted(refitting: Settings, prepared: Prepared, folder: Path) -> RankingModel:
    return refit_ranking(refitting, prepared, folder, epochs=1)


def test_it_learns_from_training_and_validation_split_for_the_epochs_that_are_asked_for(
    refitted: RankingModel, prepared: Prepared, folder: Path, refitting: Settings
) -> None:
    known = prepared.interactions.part("train", "validation")
    counts = np.bincount(known.movie + 1, minlength=prepared.schema.num_movies + 1)
    log_counts = refitted.head.movies.table.numpy()[0, :, 3]
    np.testing.assert_allclose(log_counts, np.log1p(counts) / 5.0, rtol=1e-6)
    np.testing.assert_array_equal(refitted.head.updated_bias.count, counts)
    assert len(json.loads((folder / "progress.json").read_text())["loss"]) == 1
    assert refitting.training.epochs == 2


def test_a_finished_refit_is_loaded(
    refitted: RankingModel, refitting: Settings, prepared: Prepared, folder: Path, monkeypatch
) -> None:
    monkeypatch.setattr("recommender.training.item_factors.fit_factors", None)
    rows = ranking_examples(refitting, prepared, "test")
    again = refit_ranking(refitting, prepared, folder, epochs=1)
    np.testing.assert_array_equal(predict(again, rows), predict(refitted, rows))


def test_validation_chooses_the_epochs_and_the_order_is_of_the_models_that_have_not_seen_it(
    refitting: Settings, prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, ...]] = []
    progress = Progress(validation=[0.9, 0.8, 0.85], best_epoch=1)

    def noted(answer: str) -> Callable[..., str]:
        def called(settings: Settings, prepared: Prepared, *given: object, **placed: object) -> str:
            asked.append((answer, *given))
            return answer

        return called

    monkeypatch.setattr(retrieval, "train_retrieval", lambda *given, **placed: ("finds", progress))
    monkeypatch.setattr(ranking, "train_ranking", lambda *given, **placed: ("ranks", progress))
    monkeypatch.setattr(training, "train_order", noted("order"))
    monkeypatch.setattr(retrieval, "refit_retrieval", noted("finds anew"))
    monkeypatch.setattr(ranking, "refit_ranking", noted("ranks anew"))
    trained = training.train(refitting, prepared, tmp_path)
    assert (trained.retrieval, trained.ranking) == ("finds anew", "ranks anew")
    assert (trained.validated_retrieval, trained.validated_ranking) == ("finds", "ranks")
    assert asked == [
        ("finds anew", tmp_path / "retrieval" / "refit", "finds", 2),
        ("ranks anew", tmp_path / "ranking" / "refit", 2),
        ("order", "finds", "ranks", tmp_path / "order"),
    ]


def test_frozen_statistics_of_a_model_that_is_refit_stop_at_the_end_of_validation(settings: Settings) -> None:
    tree = settings.model_dump(mode="json")
    frozen = prepare(resolve(tree, ["features.mode=frozen"], {}))
    renewed = prepare(resolve(tree, ["features.mode=frozen", "ranking.refit=true"], {}))
    known = renewed.interactions.part("train", "validation")
    test = renewed.interactions.part("test")
    counts = np.bincount(known.user, minlength=known.num_users)
    np.testing.assert_array_equal(renewed.column("user_count", "test"), counts[test.user])
    for split in ("train", "validation"):
        for name in ("user_count", "movie_mean", "user_deviation"):
            np.testing.assert_allclose(renewed.column(name, split), frozen.column(name, split), rtol=1e-9)
    of_movies = np.bincount(known.movie, minlength=known.num_movies)
    for name in ("test", "serving"):
        np.testing.assert_array_equal(renewed.snapshot(name).movies["movie_count"], of_movies)
    before, expected = (data.snapshot("validation").users["user_count"] for data in (renewed, frozen))
    np.testing.assert_array_equal(before, expected)


def test_a_refit_of_what_draws_negatives_is_refused(settings: Settings) -> None:
    with pytest.raises(ConfigError, match=r"^ranking: refit is for the objectives rating and like"):
        resolve(settings.model_dump(mode="json"), ["ranking.refit=true", "ranking.objective=implicit"], {})


@pytest.mark.slow
def test_retrieval_is_fitted_anew_on_both_splits_with_the_weights_that_were_validated(
    refitting: Settings, prepared: Prepared, tmp_path: Path
) -> None:
    validated = build_retrieval(refitting, prepared)
    validated.mixture.assign(np.linspace(0.4, 0.1, validated.mixture.shape[0]))
    model = refit_retrieval(refitting, prepared, tmp_path, validated, epochs=1)
    np.testing.assert_array_equal(model.mixture, validated.mixture)
    known = prepared.interactions.part("train", "validation")
    expected = fit_priors(refitting.retrieval, known)["ease"].pairs
    ease = next(prior for prior in model.priors if prior.name == "ease")
    np.testing.assert_array_equal(ease.pairs, expected)
    assert not np.allclose(
        expected, fit_priors(refitting.retrieval, prepared.interactions.part("train"))["ease"].pairs
    )
    assert len(json.loads((tmp_path / "progress.json").read_text())["loss"]) == 1


def test_a_refit_asks_for_every_rating_of_both_splits_by_users_and_of_movies_that_are_known(
    refitting: Settings, prepared: Prepared
) -> None:
    splits, retrieval = ("train", "validation"), refitting.retrieval
    rows = training_rows(retrieval, prepared, prepared.snapshot("test"), splits)
    batch = rows.transform({name: tf.constant(column) for name, column in rows.arrays.items()})
    known = prepared.interactions.part(*splits)
    known = known.where(known.movie < prepared.schema.known_movies)
    assert len(known) > len(prepared.interactions.part("train"))
    assert np.count_nonzero(batch["targets"][:, :, 0]) == len(known)
