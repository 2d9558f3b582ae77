"""Nothing that is fitted or chosen may depend on the test split."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommender.config import Settings, resolve
from recommender.data import prepare as preparing
from recommender.data.prepare import prepare
from recommender.data.prepared import Prepared
from recommender.data.tables import Tables, load_tables
from recommender.training.ranking import predict, ranking_examples, refit_ranking, train_ranking
from recommender.tuning import best_settings, study_table, tune

SEARCH = (
    "tuning={trials: 3, ranges: {training.learning_rate: {low: 0.001, high: 0.1, log: true}}}",
    "ranking.refit=true",
)


class Fitted(NamedTuple):
    """All that a run has chosen and fitted before it looks at the test split."""

    tuned: Settings
    trials: list[list[float]]
    best_epoch: int
    weights: list[np.ndarray]
    refit_weights: list[np.ndarray]
    predictions: np.ndarray  # of the validation split


@pytest.fixture(scope="module")
def searching(settings: Settings) -> Settings:
    return resolve(settings.model_dump(mode="json"), SEARCH, {})


def run(settings: Settings, prepared: Prepared, folder: Path) -> Fitted:
    study = folder / "study.log"
    tune(settings, prepared, study)
    tuned = best_settings(settings, study)
    model, progress = train_ranking(tuned, prepared, folder / "ranking")
    refitted = refit_ranking(tuned, prepared, folder / "refit", progress.best_epoch + 1)
    return Fitted(
        tuned,
        study_table(study)[["training.learning_rate", "validation"]].to_numpy().tolist(),
        progress.best_epoch,
        [weight.numpy() for weight in model.weights],
        [weight.numpy() for weight in refitted.weights],
        predict(model, ranking_examples(tuned, prepared, "validation")),
    )


@pytest.fixture(scope="module")
def untouched(searching: Settings, prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    return run(searching, prepared, tmp_path_factory.mktemp("untouched"))


def assert_equal(found: Fitted, expected: Fitted) -> None:
    assert found.trials == expected.trials
    assert found.tuned.training == expected.tuned.training
    assert found.best_epoch == expected.best_epoch
    for ours, theirs in zip(found.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(found.refit_weights, expected.refit_weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(found.predictions, expected.predictions)


@pytest.mark.slow
def test_other_ratings_in_the_test_split_change_nothing_that_is_fitted_or_chosen(
    searching: Settings,
    prepared: Prepared,
    untouched: Fitted,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the ratings as they come, so that features, vocabularies and statistics are held to it too."""
    folder = tmp_path / "tables"
    shutil.copytree(load_tables(searching).folder, folder)
    ratings = pq.read_table(folder / "ratings.parquet")
    rating = ratings["rating"].to_numpy()
    turned = np.where(prepared.interactions.split == 2, 6 - rating, rating).astype(np.float32)
    place = ratings.column_names.index("rating")
    pq.write_table(ratings.set_column(place, "rating", pa.array(turned)), folder / "ratings.parquet")
    monkeypatch.setattr(preparing, "load_tables", lambda settings: Tables(folder))
    elsewhere = resolve(searching.model_dump(mode="json"), [f"data.home={tmp_path / 'home'}"], {})
    other = prepare(elsewhere)
    assert not np.array_equal(other.column("user_mean", "test"), prepared.column("user_mean", "test"))
    assert_equal(run(searching, other, tmp_path), untouched)


@pytest.mark.slow
def test_other_test_rows_change_nothing_that_is_fitted_or_chosen(
    searching: Settings, prepared: Prepared, untouched: Fitted, tmp_path: Path
) -> None:
    """Every column of every table as prepared for the test split in another order."""
    folder = tmp_path / "prepared"
    shutil.copytree(prepared.folder, folder)
    is_test = prepared.interactions.split == 2
    (shard,) = Prepared(folder).feature_shards()
    for path in (folder / "interactions.parquet", shard):
        shuffle(path, is_test, keep={"row", "split"})
    timeline, known = folder / "timeline-3.parquet", prepared.interactions.before("test")
    later = pq.read_table(timeline)["timestamp"].to_numpy() > known.timestamp.max()
    shuffle(timeline, later, keep={"user", "timestamp"})
    for name in ("users-serving", "movies-serving"):  # the state after the test split
        path = folder / f"{name}.parquet"
        shuffle(path, np.ones(pq.read_metadata(path).num_rows, bool), keep=set())
    other = Prepared(folder)
    assert not np.array_equal(other.interactions.part("test").user, prepared.interactions.part("test").user)
    assert_equal(run(searching, other, tmp_path), untouched)


def shuffle(path: Path, rows: np.ndarray, keep: set[str]) -> None:
    """Turn the order of some rows of a table round in all columns but those to keep."""
    table = pq.read_table(path)
    order = np.arange(len(rows))
    order[rows] = order[rows][::-1]
    turned = table.take(pa.array(order))
    columns = {name: (table if name in keep else turned)[name] for name in table.column_names}
    pq.write_table(pa.table(columns), path)
