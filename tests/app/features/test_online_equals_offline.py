"""No skew on real data: 1,000 sampled rows of ml-100k, pushed and live, on both stores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recommender.app.features import FeatureStore, open_backend, push
from recommender.config import load_settings
from recommender.data.prepare import prepare
from recommender.data.prepared import Prepared

ROWS = 1_000
STRETCHES = 5


@pytest.fixture(scope="module")
def ml_100k(movielens_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    home = tmp_path_factory.mktemp("ml-100k")
    return prepare(load_settings(overrides=["data.dataset=ml-100k", f"data.home={home}"]))


@pytest.fixture(scope="module")
def in_time(ml_100k) -> np.ndarray:
    """All rows in the order of time."""
    return np.argsort(ml_100k.interactions.timestamp, kind="stable")


@pytest.fixture(scope="module")
def next_ratings(ml_100k, in_time, rows_offline):
    """Three moments and, for each, the next rating of sampled users and of sampled movies."""
    every, random = ml_100k.interactions, np.random.default_rng(11)
    sampled = []
    for moment in every.timestamp[random.choice(in_time, 3, replace=False)]:
        following = in_time[np.searchsorted(every.timestamp[in_time], moment) :]
        for side, codes in (("user", every.user), ("movie", every.movie)):
            rows = following[np.unique(codes[following], return_index=True)[1]]
            sampled.append((int(moment), side, random.choice(rows, min(ROWS // 3, len(rows)), replace=False)))
    offline = iter(rows_offline(ml_100k, np.concatenate([rows for *_, rows in sampled])))
    return [(moment, side, [(row, next(offline)) for row in rows]) for moment, side, rows in sampled]


@pytest.fixture(scope="module")
def stretches(ml_100k, in_time, rows_offline):
    """Five stretches of consecutive ratings, each from the first of its second on."""
    seconds = ml_100k.interactions.timestamp[in_time]
    starts = np.random.default_rng(12).choice(len(in_time) - ROWS // STRETCHES, STRETCHES, replace=False)
    starts = np.searchsorted(seconds, seconds[np.sort(starts)])
    stretches = [in_time[start : start + ROWS // STRETCHES] for start in starts]
    offline = iter(rows_offline(ml_100k, np.concatenate(stretches)))
    return [[(row, next(offline)) for row in rows] for rows in stretches]


@pytest.mark.slow
@pytest.mark.movielens
def test_features_pushed_up_to_a_row_equal_the_offline_row(ml_100k, address, next_ratings, agree) -> None:
    store = FeatureStore(open_backend(address))
    for moment, side, rows in next_ratings:
        push(ml_100k, store.backend, until=moment)
        for row, (of_user, of_movie) in rows:
            found = ask(store, ml_100k, row)
            pair = (found.encoded_user, of_user) if side == "user" else (found.movies, of_movie)
            agree(*pair, f"of row {row}")
    store.close()


@pytest.mark.slow
@pytest.mark.movielens
def test_features_equal_the_offline_rows_while_ratings_come_in(ml_100k, address, stretches, agree) -> None:
    store = FeatureStore(open_backend(address))
    for rows in stretches:
        push(ml_100k, store.backend, until=int(ml_100k.interactions.timestamp[rows[0][0]]))
        for row, (of_user, of_movie) in rows:
            found = ask(store, ml_100k, row)
            agree(found.encoded_user, of_user, f"of row {row}")
            agree(found.movies, of_movie, f"of row {row}")
            store.add_rating(*rated(ml_100k, row))
    store.close()


def ask(store: FeatureStore, prepared: Prepared, row: int):
    user_id, movie_id, _, second = rated(prepared, row)
    return store.features_for(user_id, [movie_id], second)


def rated(prepared: Prepared, row: int) -> tuple[str, str, float, int]:
    every = prepared.interactions
    user_id, movie_id = (
        prepared.users["user_id"][every.user[row]],
        prepared.movies["movie_id"][every.movie[row]],
    )
    return user_id, movie_id, float(every.rating[row]), int(every.timestamp[row])
