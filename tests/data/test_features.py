"""The feature SQL against a slow reference, and the rule that nothing sees its own second or later."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommender.config import FeatureSettings, Settings, load_settings
from recommender.data.engines import DuckDBEngine, Engine
from recommender.data.features import BY_NAME, FEATURES, feature_sql, select
from recommender.data.prepare import prepare
from recommender.errors import ConfigError

SETTINGS = FeatureSettings(history_length=4, liked_length=3, top_genres=2)
GENRES = {0: [0], 1: [0, 1], 2: [], 3: [1, 2], 4: [2]}
YEARS = {0: 1990, 1: 1995, 2: None, 3: 1980, 4: 1999}
SCALE = (1.0, 5.0)


def random_ratings(seed: int, n: int = 60) -> pd.DataFrame:
    """Few seconds for many ratings, so that ties are the rule."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "row": np.arange(n),
            "user_id": random.integers(0, 4, n),
            "movie_id": random.integers(0, 5, n),
            "timestamp": 1_000_000_000 + random.integers(0, 12, n) * 40_000,
            "rating": random.integers(1, 6, n).astype(np.float32),
            "counts": True,
        }
    )


def run_sql(ratings: pd.DataFrame, folder: Path, engine: Engine | None = None) -> pd.DataFrame:
    """The product's features of `ratings`, by row; on DuckDB unless an engine is named."""
    tables = {
        "interactions": pa.Table.from_pandas(ratings, preserve_index=False),
        "movies": pa.table(
            {
                "movie_id": pa.array(list(GENRES), pa.int32()),
                "genres": pa.array(list(GENRES.values()), pa.list_(pa.int32())),
                "release_year": pa.array(list(YEARS.values()), pa.int32()),
            }
        ),
        "users": pa.table(
            {
                "user_id": [0, 1, 2, 3],
                "gender": ["F", "M", None, "F"],
                "age": [1, 2, 3, 4],
                "occupation": list("abcd"),
            }
        ),
    }
    sql = f"{feature_sql(SETTINGS, 3, SCALE)} ORDER BY r.row"
    (engine or DuckDBEngine()).run(sql, tables, folder / "features.parquet")
    return pq.read_table(folder / "features.parquet").to_pandas()


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def stddev(values: list[float]) -> float:
    return math.sqrt(mean([(value - mean(values)) ** 2 for value in values])) if values else math.nan


def slow_features(ratings: pd.DataFrame) -> list[dict]:
    """The definition of every feature that needs history, one row at a time, looking at every earlier row."""
    rows = ratings.to_dict("records")
    for row in rows:
        earlier = [other for other in rows if other["counts"] and other["timestamp"] < row["timestamp"]]
        row["of_user"] = sorted(
            (other for other in earlier if other["user_id"] == row["user_id"]),
            key=lambda other: (other["timestamp"], other["row"]),
        )
        row["of_movie"] = [other for other in earlier if other["movie_id"] == row["movie_id"]]
        movie_estimate = (sum(other["rating"] for other in row["of_movie"]) + 5 * 3.0) / (
            len(row["of_movie"]) + 5
        )
        row["deviation"] = row["rating"] - movie_estimate
    for row in rows:
        user_sum = sum(other["deviation"] for other in row["of_user"])
        row["from_user"] = row["rating"] - 3.0 - user_sum / (len(row["of_user"]) + 5)
    return [describe(row) for row in rows]


def describe(row: dict) -> dict:
    history, liked = row["of_user"], [other for other in row["of_user"] if other["rating"] >= 4]
    years = [YEARS[other["movie_id"]] for other in history if YEARS[other["movie_id"]]]
    genres = Counter(genre for other in liked for genre in GENRES[other["movie_id"]])
    last = history[-SETTINGS.history_length :]
    ratings, movie_ratings = ([o["rating"] for o in others] for others in (history, row["of_movie"]))
    return {
        "user_count": len(history),
        "user_mean": mean(ratings),
        "user_stddev": stddev(ratings),
        "user_deviation": mean([other["deviation"] for other in history]),
        "user_year_mean": mean(years),
        "user_year_stddev": stddev(years),
        "top_genres": sorted(genres, key=lambda genre: (-genres[genre], genre))[: SETTINGS.top_genres],
        "liked_movies": [other["movie_id"] for other in liked][-SETTINGS.liked_length :],
        "history_movies": [other["movie_id"] for other in last],
        "history_ratings": [other["rating"] for other in last],
        "history_deviations": [other["deviation"] for other in last],
        "history_ages": [row["timestamp"] - other["timestamp"] for other in last],
        "days_since_first": (row["timestamp"] - history[0]["timestamp"]) / 86_400 if history else math.nan,
        "movie_count": len(movie_ratings),
        "movie_mean": mean(movie_ratings),
        "movie_stddev": stddev(movie_ratings),
        "movie_deviation": mean([other["from_user"] for other in row["of_movie"]]),
    }


@pytest.mark.parametrize("seed", range(5))
def test_sql_equals_a_slow_reference(seed: int, tmp_path: Path) -> None:
    ratings = random_ratings(seed)
    found = run_sql(ratings, tmp_path)
    for row, expected in enumerate(slow_features(ratings)):
        for column, value in expected.items():
            np.testing.assert_allclose(
                found[column][row], value, rtol=0, atol=1e-9, err_msg=f"{column} of row {row}"
            )


def test_rows_that_do_not_count_are_seen_by_nobody(tmp_path: Path) -> None:
    ratings = random_ratings(7)
    ratings.loc[::3, "counts"] = False
    found = run_sql(ratings, tmp_path)
    expected = pd.DataFrame(slow_features(ratings))
    np.testing.assert_allclose(found["user_mean"], expected["user_mean"])
    np.testing.assert_allclose(found["movie_deviation"], expected["movie_deviation"])
    assert [list(row) for row in found["history_movies"]] == expected["history_movies"].tolist()


def test_ratings_of_the_same_second_do_not_count_as_history(tmp_path: Path) -> None:
    ratings = random_ratings(1)
    ratings["timestamp"] = 1_000_000_000
    found = run_sql(ratings, tmp_path)
    assert found["user_count"].eq(0).all()
    assert found["movie_count"].eq(0).all()
    assert found["user_mean"].isna().all()
    assert all(len(history) == 0 for history in found["history_movies"])


@pytest.mark.parametrize("second", [3, 6, 9])
def test_changing_every_rating_from_a_second_on_moves_no_earlier_feature(second: int, tmp_path: Path) -> None:
    ratings = random_ratings(2)
    changed = ratings.copy()
    later = changed["timestamp"] >= 1_000_000_000 + second * 40_000
    changed.loc[later, "rating"] = 6 - changed.loc[later, "rating"]
    before, after = run_sql(ratings, tmp_path), run_sql(changed, tmp_path)
    kept = (
        ratings["timestamp"] <= 1_000_000_000 + second * 40_000
    )  # the second itself sees only what is before it
    pd.testing.assert_frame_equal(before[kept], after[kept])
    assert not before[~kept].equals(after[~kept])


def test_hours_and_weekdays_are_cyclic(tmp_path: Path) -> None:
    ratings = random_ratings(3)
    found = run_sql(ratings, tmp_path)
    time = pd.to_datetime(ratings["timestamp"], unit="s")
    hour = 2 * np.pi * (time.dt.hour * 3600 + time.dt.minute * 60 + time.dt.second) / 86_400
    weekday = 2 * np.pi * ((time.dt.day_of_week + 1) % 7 + hour / (2 * np.pi)) / 7  # Sunday first
    np.testing.assert_allclose(found["hour_sin"], np.sin(hour), atol=1e-9)
    np.testing.assert_allclose(found["hour_cos"], np.cos(hour), atol=1e-9)
    np.testing.assert_allclose(found["weekday_sin"], np.sin(weekday), atol=1e-9)
    np.testing.assert_allclose(found["weekday_cos"], np.cos(weekday), atol=1e-9)


def test_the_sql_has_a_column_for_every_declared_feature(tmp_path: Path) -> None:
    columns = {column for feature in FEATURES for column in feature.columns}
    assert set(run_sql(random_ratings(0), tmp_path).columns) == columns | {"row", "timestamp"}


def test_frozen_statistics_stop_at_the_end_of_training(settings: Settings) -> None:
    frozen = prepare(settings.model_copy(update={"features": FeatureSettings(mode="frozen")}))
    known = frozen.interactions.part("train")
    test = frozen.interactions.part("test")
    counts = np.bincount(known.user, minlength=known.num_users)
    np.testing.assert_array_equal(frozen.column("user_count", "test"), counts[test.user])
    sums = np.bincount(known.movie, known.rating, minlength=known.num_movies)
    rated = np.bincount(known.movie, minlength=known.num_movies)
    expected = np.where(rated > 0, sums / np.maximum(rated, 1), np.nan)[test.movie]
    np.testing.assert_allclose(frozen.column("movie_mean", "test"), expected)


def test_an_unknown_feature_is_named_with_its_setting() -> None:
    with pytest.raises(ConfigError, match=r"ranking.features: must be among .*, received 'mood'"):
        select(["user_id", "mood"], "ranking.features")
    with pytest.raises(ConfigError, match=r"retrieval.movie_features: .*, received 'user_id'"):
        select(["user_id"], "retrieval.movie_features", ("movie",))
    assert [feature.name for feature in select(["movie_id", "user_id"], "x")] == ["user_id", "movie_id"]
    assert BY_NAME["history"].columns[0] == "history_movies"


@pytest.mark.movielens
@pytest.mark.slow
def test_sql_equals_the_reference_on_real_ratings(movielens_home: Path, tmp_path: Path) -> None:
    overrides = ["data.dataset=ml-100k", f"data.home={tmp_path}"]
    prepared = prepare(load_settings(overrides=overrides, environ={}))
    interactions = prepared.interactions
    user_count, movie_mean = (
        np.concatenate([prepared.column(name, split) for split in ("train", "validation", "test")])
        for name in ("user_count", "movie_mean")
    )
    order = np.concatenate([np.flatnonzero(interactions.split == split) for split in range(3)])
    for position in np.random.default_rng(0).choice(len(order), 300, replace=False):
        row = order[position]
        earlier = interactions.timestamp < interactions.timestamp[row]
        of_user = earlier & (interactions.user == interactions.user[row])
        of_movie = earlier & (interactions.movie == interactions.movie[row])
        assert user_count[position] == of_user.sum()
        expected = interactions.rating[of_movie].mean(dtype=np.float64) if of_movie.any() else np.nan
        np.testing.assert_allclose(movie_mean[position], expected, atol=1e-9)
