"""Signatures that take one user's features as a feature store holds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from recommender.data.encode import encode_features
from recommender.data.features import FEATURES
from recommender.data.prepared import Prepared
from recommender.export.stored_movies import stored_movie_specs
from recommender.export.stored_user import stored_user_specs


def stored(prepared: Prepared, row: pa.Table) -> dict[str, Any]:
    """A row of the feature SQL in ids and names, lists newest first, as a store would hold it."""
    movie_ids, genres = prepared.movies["movie_id"], prepared.schema.genres
    values = {name: row[name][0].as_py() for name in stored_user_specs()}
    values["user_id"] = prepared.users["user_id"][values["user_id"]]
    values["top_genres"] = [genres[code] for code in values["top_genres"] or []]
    for name in ("liked_movies", "history_movies"):
        values[name] = [movie_ids[code] for code in reversed(values[name])]
    for name in ("history_ratings", "history_deviations", "history_ages"):
        values[name] = list(reversed(values[name]))
    missing = {name: "" if name in ("gender", "occupation") else np.nan for name in values}
    return {name: [missing[name] if value is None else value] for name, value in values.items()}


def new_user(**known: Any) -> dict[str, Any]:
    """A user of whom nothing is known but what is given."""
    nothing = {
        spec.name: [""] if spec.dtype.name == "string" else [0.0 if spec.name == "user_count" else np.nan]
        for spec in stored_user_specs().values()
    }
    lists = {name: np.zeros((1, 0)) for name, spec in stored_user_specs().items() if spec.shape.rank == 2}
    strings = {name: np.zeros((1, 0), object) for name in ("top_genres", "liked_movies", "history_movies")}
    return {**nothing, **lists, **strings, **known}


MOVIES = np.array([3, 70, 3, 12])


def asked(prepared: Prepared, rows: pa.Table, timestamp: int) -> dict[str, Any]:
    """What `rank` is asked about the movies `MOVIES` and the user of the first row."""
    movie_ids = prepared.movies["movie_id"][MOVIES].tolist()
    return {**stored(prepared, rows.slice(0, 1)), "timestamp": [timestamp], "movie_ids": movie_ids}


@pytest.mark.parametrize("user", [0, 40, 119])
def test_candidates_of_stored_features_are_rated_like_pairs_of_the_feature_sql(
    ask, prepared, trained, offline_rows, user: int
) -> None:
    timestamp = prepared.snapshot("serving").timestamp + 5_000
    rows = offline_rows([user] * 4, MOVIES, timestamp)
    answer = ask("rank", **asked(prepared, rows, timestamp))
    columns = encode_features(rows, FEATURES, prepared.schema)
    expected = trained.ranking.predict_rating(columns).numpy()
    np.testing.assert_allclose(answer["rating"], expected, atol=1e-5)
    retrieved = ask("retrieve_by_features", **stored(prepared, rows.slice(0, 1)), k=80)
    score_of = dict(zip(retrieved["movie_ids"][0], retrieved["scores"][0], strict=True))
    for movie_id, rating, score in zip(
        prepared.movies["movie_id"][MOVIES], expected, answer["scores"], strict=True
    ):
        if movie_id.encode() in score_of:  # else the user has rated it
            assert score == pytest.approx(0.7 * score_of[movie_id.encode()] + 1.3 * rating, abs=1e-4)


def test_candidates_are_ranked_by_the_ratings_that_the_store_has_seen_of_them(
    ask, prepared, trained, offline_rows
) -> None:
    timestamp = prepared.snapshot("serving").timestamp
    rows = offline_rows([40] * 4, MOVIES, timestamp)
    inputs = asked(prepared, rows, timestamp)
    live = {
        "movie_count": np.array([3.0, 900.0, 0.0, 12.0], np.float32),
        "movie_mean": np.array([1.5, 4.9, np.nan, 3.0], np.float32),
        "movie_stddev": np.array([0.5, 0.1, np.nan, 1.0], np.float32),
        "movie_deviation": np.array([-2.0, 1.5, np.nan, 0.0], np.float32),
    }
    assert live.keys() == stored_movie_specs().keys()
    columns = {**encode_features(rows, FEATURES, prepared.schema), **live}
    answer, before = ask("rank_by_features", **inputs, **live), ask("rank", **inputs)
    expected = trained.ranking.predict_rating(columns).numpy()
    np.testing.assert_allclose(answer["rating"], expected, atol=1e-5)
    risen = answer["rating"] - before["rating"]
    np.testing.assert_allclose(answer["scores"] - before["scores"], 1.3 * risen, atol=1e-4)
    assert np.abs(risen).max() > 0.05


def test_with_the_history_of_the_snapshot_both_ways_to_rank_are_the_same(ask, prepared, offline_rows) -> None:
    timestamp = prepared.snapshot("serving").timestamp
    inputs = asked(prepared, offline_rows([40] * 4, MOVIES, timestamp), timestamp)
    snapshot = {name: prepared.snapshot("serving").movies[name][MOVIES] for name in stored_movie_specs()}
    by_features, by_id = ask("rank_by_features", **inputs, **snapshot), ask("rank", **inputs)
    for name in ("scores", "rating"):
        np.testing.assert_allclose(by_features[name], by_id[name], rtol=1e-6)


def test_candidates_are_retrieved_for_stored_features_as_for_the_user_id(ask, prepared, offline_rows) -> None:
    row = offline_rows([25], [0], prepared.snapshot("serving").timestamp)
    user_id = prepared.users["user_id"][25]
    by_features = ask("retrieve_by_features", **stored(prepared, row), k=9)
    by_id = ask("retrieve", user_id=[user_id], k=9)
    assert by_features["movie_ids"].tolist() == by_id["movie_ids"].tolist()
    np.testing.assert_allclose(by_features["scores"], by_id["scores"], rtol=1e-5)


def test_lists_longer_than_the_model_reads_are_cut_at_their_end(ask, prepared, offline_rows) -> None:
    row = offline_rows([25], [0], prepared.snapshot("serving").timestamp)
    asked = {"timestamp": [1_000_000_000], "movie_ids": prepared.movies["movie_id"][:5].tolist()}
    short = stored(prepared, row)
    long = {name: [value[0] * 3] if isinstance(value[0], list) else value for name, value in short.items()}
    assert len(short["history_movies"][0]) == prepared.schema.history_length
    scores = [ask("rank", **user, **asked)["scores"] for user in (short, long)]
    np.testing.assert_allclose(*scores, rtol=1e-6)
    assert np.isfinite(scores[0]).all()


def test_movies_of_the_history_that_the_model_does_not_know_count_as_padding(ask, prepared) -> None:
    known = prepared.movies["movie_id"][4]
    asked = {"timestamp": [1_000_000_000], "movie_ids": prepared.movies["movie_id"][:5].tolist()}

    def scores(movies: list[str], ratings: list[float]) -> np.ndarray:
        history = {"history_ratings": [ratings], "history_deviations": [ratings], "history_ages": [ratings]}
        user = new_user(history_movies=[movies], user_count=[1.0], user_deviation=[0.5], **history)
        return ask("rank", **user, **asked)["scores"]

    alone = scores([known], [5.0])
    assert np.isfinite(alone).all()
    np.testing.assert_allclose(scores([known, "no movie"], [5.0, 5.0]), alone, rtol=1e-6)
    assert not np.allclose(scores([known], [1.0]), alone)


def test_a_new_user_is_served_without_history_and_by_history(ask, prepared, most_rated_movie) -> None:
    popular = ask("retrieve_by_features", **new_user(user_id=["newcomer"]), k=5)["movie_ids"]
    assert popular.tolist() == ask("retrieve", user_id=["nobody"], k=5)["movie_ids"].tolist()
    movies, values = [[most_rated_movie, prepared.movies["movie_id"][7]]], [[5.0, 1.0]]
    history = {"history_ratings": values, "history_deviations": values, "history_ages": values}
    user = new_user(user_count=[2.0], history_movies=movies, **history)
    personal = ask("retrieve_by_features", **user, k=80)["movie_ids"][0]
    assert most_rated_movie.encode() not in personal
    assert personal[:5].tolist() != popular[0].tolist()
    movie_ids = ["no movie", most_rated_movie, prepared.movies["movie_id"][7]]
    answer = ask("rank", **new_user(), timestamp=[1], movie_ids=movie_ids)
    assert np.isfinite(answer["rating"]).all()
    unknown, first, second = answer["scores"]
    assert unknown == np.finfo(np.float32).min
    assert first > second


@pytest.fixture(scope="module")
def most_rated_movie(prepared: Prepared) -> str:
    return prepared.movies["movie_id"][np.bincount(prepared.interactions.movie).argmax()]
