"""Histories gathered from timelines against the SQL's; snapshots of one run against runs of their own."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommender.config import Settings
from recommender.data import feature_tables
from recommender.data.encode import encode_features
from recommender.data.engines import DuckDBEngine
from recommender.data.feature_tables import plan_runs
from recommender.data.features import FEATURES, feature_sql
from recommender.data.prepare import encode, prepare
from recommender.data.prepared import Prepared
from recommender.data.tables import load_tables

SEQUENCES = [feature for feature in FEATURES if feature.kind == "sequence"]


def changed(settings: Settings, home: Path, split: str, mode: str, refit: bool) -> Settings:
    return settings.model_copy(
        update={
            "data": settings.data.model_copy(update={"home": home, "split": split}),
            "features": settings.features.model_copy(update={"mode": mode}),
            "ranking": settings.ranking.model_copy(update={"refit": refit}),
        }
    )


def by_sql(settings: Settings, prepared: Prepared, visible: int, folder: Path) -> dict[str, np.ndarray]:
    """All features of all ratings by the whole SQL, where the first `visible` splits count."""
    tables = load_tables(settings)
    interactions, catalogue = encode(settings, tables)
    ratings = {
        "row": np.arange(len(interactions)),
        "user_id": interactions.user,
        "movie_id": interactions.movie,
        "timestamp": interactions.timestamp,
        "rating": interactions.rating,
        "counts": interactions.split < visible,
    }
    sql = feature_sql(settings.features, len(catalogue.genres), tables.rating_scale)
    inputs = {**catalogue.for_sql(), "interactions": pa.table(ratings)}
    DuckDBEngine().run(f"{sql} ORDER BY r.row", inputs, folder / "all.parquet")
    return encode_features(pq.read_table(folder / "all.parquet"), FEATURES, prepared.schema)


@pytest.mark.parametrize(
    ("split", "mode", "refit"),
    [
        ("time_range", "point_in_time", False),
        ("random", "point_in_time", False),
        ("time_range", "frozen", False),
        ("random", "frozen", True),
    ],
)
def test_prepared_features_are_those_of_the_sql(split, mode, refit, settings, tmp_path) -> None:
    settings = changed(settings, tmp_path, split, mode, refit)
    prepared = prepare(settings)
    for place, name in enumerate(("train", "validation", "test")):
        visible = 3 if mode == "point_in_time" else 1 + (refit and name == "test")
        expected = by_sql(settings, prepared, visible, tmp_path)
        found = prepared.examples(name, FEATURES)
        assert list(found) == list(expected)
        for column, values in found.items():
            rows = expected[column][prepared.interactions.split == place]
            assert (values.dtype, values.shape) == (rows.dtype, rows.shape)
            np.testing.assert_allclose(values, rows, rtol=1e-6, atol=1e-6, err_msg=f"{name}: {column}")


def test_a_history_longer_than_asked_for_loses_its_oldest(prepared) -> None:
    history = prepared.examples("test", SEQUENCES)
    count = prepared.column("user_count", "test")
    length = prepared.schema.history_length
    assert (count > length).any()
    np.testing.assert_array_equal((history["history_movies"] > 0).sum(axis=1), np.minimum(count, length))
    there = history["history_movies"][:, 1:] > 0
    assert (np.diff(history["history_ages"], axis=1)[there] >= 0).all()  # newest first


def test_where_nobody_likes_anything_no_movie_is_liked(settings, tmp_path) -> None:
    features = settings.features.model_copy(update={"liked_threshold": 6.0})
    elsewhere = changed(settings, tmp_path, "time_range", "point_in_time", False)
    prepared = prepare(elsewhere.model_copy(update={"features": features}))
    liked = prepared.examples("train", [feature for feature in SEQUENCES if feature.name == "liked_movies"])
    assert not liked["liked_movies"].any()
    assert not prepared.snapshot("serving").users["liked_movies"].any()


def test_splits_in_order_of_time_need_one_run_and_others_one_a_snapshot(settings, prepared) -> None:
    interactions = prepared.interactions

    def planned(mode: str, refit: bool, split: np.ndarray) -> list[tuple[int, list[str]]]:
        changed_settings = changed(settings, settings.data.home, "time_range", mode, refit)
        ratings = type(interactions)(**{**vars(interactions), "split": split})
        return [(run.visible, list(run.asked)) for run in plan_runs(changed_settings, ratings)]

    by_time, mixed = interactions.split, np.random.default_rng(0).permutation(interactions.split)
    assert planned("point_in_time", False, by_time) == [(3, ["validation", "test", "serving"])]
    assert planned("point_in_time", False, mixed) == [(3, ["serving"]), (1, ["validation"]), (2, ["test"])]
    assert planned("frozen", False, mixed) == [(1, ["validation", "test", "serving"])]
    assert planned("frozen", True, mixed) == [(1, ["validation"]), (2, ["test", "serving"])]


@pytest.mark.parametrize("mode", ["point_in_time", "frozen"])
def test_a_snapshot_does_not_depend_on_the_run_that_gives_it(mode, settings, tmp_path, monkeypatch) -> None:
    together = prepare(changed(settings, tmp_path / "together", "time_range", mode, refit=True))
    monkeypatch.setattr(feature_tables, "_is_prefix", lambda interactions, known, visible: known == visible)
    alone = prepare(changed(settings, tmp_path / "alone", "time_range", mode, refit=True))
    for name in ("validation", "test", "serving"):
        ours, theirs = together.snapshot(name), alone.snapshot(name)
        assert ours.timestamp == theirs.timestamp
        for side in ("users", "movies"):
            for column, values in getattr(theirs, side).items():
                np.testing.assert_allclose(getattr(ours, side)[column], values, rtol=1e-6, err_msg=column)
