from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recommender.config import Settings
from recommender.data.catalogue import first_appearance_codes
from recommender.data.engines import DuckDBEngine
from recommender.data.features import FEATURES, select
from recommender.data.prepare import prepare
from recommender.data.prepared import Prepared
from recommender.data.tables import load_tables
from recommender.errors import DataError


def test_codes_follow_the_first_appearance_and_training_comes_first() -> None:
    ids = np.array([4, 2, 2, 0, 3])
    codes, known = first_appearance_codes(ids, 6, np.array([False, True, True, True, False]))
    assert codes.tolist() == [1, 4, 0, 3, 2, 5]  # 2, 0 in training, then 4, 3, then those never rated
    assert known == 2


def test_codes_lead_back_to_the_canonical_ratings(settings: Settings, prepared: Prepared) -> None:
    ratings = load_tables(settings).read("ratings")
    interactions = prepared.interactions
    assert prepared.users["user_id"].to_numpy()[interactions.user].tolist() == ratings["user_id"].tolist()
    assert prepared.movies["movie_id"].to_numpy()[interactions.movie].tolist() == ratings["movie_id"].tolist()
    np.testing.assert_array_equal(interactions.rating, ratings["rating"])
    np.testing.assert_array_equal(interactions.timestamp, ratings["timestamp"])


def test_known_codes_are_those_with_a_training_rating(prepared: Prepared) -> None:
    training = prepared.interactions.part("train")
    assert set(training.user) == set(range(prepared.schema.known_users))
    assert set(training.movie) == set(range(prepared.schema.known_movies))


def test_statistics_are_fitted_on_training_rows_only(prepared: Prepared) -> None:
    counts = np.log1p(prepared.column("user_count", "train"))
    assert prepared.schema.numeric["user_count"] == pytest.approx((counts.mean(), counts.std()))
    mean = np.mean(prepared.interactions.part("train").rating, dtype=np.float64)
    assert prepared.schema.rating_mean == pytest.approx(mean)


def test_a_second_preparation_reuses_the_first(settings: Settings, prepared: Prepared) -> None:
    before = prepared.folder.stat().st_mtime_ns
    again = prepare(settings)
    assert again.folder == prepared.folder
    assert again.folder.stat().st_mtime_ns == before


def test_other_settings_make_another_preparation(settings: Settings, prepared: Prepared) -> None:
    changes = {"features": settings.features.model_copy(update={"history_length": 3})}
    other = prepare(settings.model_copy(update=changes))
    assert other.folder != prepared.folder
    assert other.examples("test", select(["history"], "x"))["history_movies"].shape[1] == 3


def test_an_interrupted_preparation_leaves_nothing_behind(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    alone = settings.model_copy(update={"data": settings.data.model_copy(update={"home": tmp_path})})
    folder = prepare(alone).folder.parent
    before = sorted(folder.iterdir())
    monkeypatch.setattr(DuckDBEngine, "run_shards", stop)
    changes = {"features": settings.features.model_copy(update={"history_length": 4})}
    with pytest.raises(KeyboardInterrupt):
        prepare(alone.model_copy(update=changes))
    assert sorted(folder.iterdir()) == before


def test_a_snapshot_holds_all_that_earlier_splits_say(prepared: Prepared) -> None:
    for split in ("validation", "test"):
        known = prepared.interactions.before(split)
        snapshot = prepared.snapshot(split)
        np.testing.assert_array_equal(
            snapshot.users["user_count"], np.bincount(known.user, minlength=known.num_users)
        )
        np.testing.assert_array_equal(
            snapshot.movies["movie_count"], np.bincount(known.movie, minlength=known.num_movies)
        )
    assert snapshot.users["user_id"].tolist() == list(range(1, prepared.schema.num_users + 1))


def test_the_serving_snapshot_is_what_a_rating_now_would_see(prepared: Prepared) -> None:
    snapshot = prepared.snapshot("serving")
    interactions = prepared.interactions
    assert snapshot.timestamp == interactions.timestamp.max() + 1
    user = int(interactions.user[-1])
    mine = interactions.where(interactions.user == user)
    order = np.lexsort((np.arange(len(mine)), mine.timestamp))[::-1][: prepared.schema.history_length]
    shown = snapshot.users["history_movies"][user]
    assert shown[shown > 0].tolist() == (mine.movie[order] + 1).tolist()


def test_one_user_is_too_few(settings: Settings, tmp_path) -> None:
    path = tmp_path / "ratings.csv"
    frame = {"user_id": 1, "movie_id": [1, 2, 3], "rating": 3.0, "timestamp": [1e9, 1.1e9, 1.2e9]}
    pd.DataFrame(frame).astype({"timestamp": "int64"}).to_csv(path, index=False)
    custom = settings.data.custom.model_copy(update={"ratings": path})
    data = settings.data.model_copy(update={"dataset": "custom", "custom": custom, "home": tmp_path})
    with pytest.raises(DataError, match="at least 2 users with ratings are needed, found 1"):
        prepare(settings.model_copy(update={"data": data}))


def test_examples_have_every_declared_column(prepared: Prepared) -> None:
    arrays = prepared.examples("validation", FEATURES)
    rows = len(prepared.interactions.part("validation"))
    assert set(arrays) == {column for feature in FEATURES for column in feature.columns}
    assert {len(column) for column in arrays.values()} == {rows}


def test_the_summary_says_how_much_is_unseen(prepared: Prepared) -> None:
    share = np.mean(prepared.interactions.part("test").user >= prepared.schema.known_users)
    assert f"rows of unseen users {share:6.1%}" in prepared.summary().splitlines()[-1]
