"""The exported graph scores as the model does, also for a history that comes with the request."""

from __future__ import annotations

import numpy as np

from recommender.data.prepared import Prepared
from recommender.training import Trained

NEWCOMER = {"user_id": [""], "gender": ["F"], "age": [30.0], "occupation": [""], "user_count": [3.0]}
NUMBERS = (
    "user_mean",
    "user_stddev",
    "user_deviation",
    "user_year_mean",
    "user_year_stddev",
    "days_since_first",
)
RATED = [11, 4, 60]  # codes, newest first


def test_a_newcomer_gets_what_the_model_says_of_three_rated_movies(
    ask, prepared: Prepared, trained: Trained
) -> None:
    movie_ids = prepared.movies["movie_id"]
    stored = {
        **NEWCOMER,
        **{name: [np.nan] for name in NUMBERS},
        "top_genres": [[""]],
        "liked_movies": [[""]],
        "history_movies": [[movie_ids[code] for code in RATED]],
        "history_ratings": [[5.0, 4.0, 2.0]],
        "history_deviations": [[0.5, 0.0, -1.0]],
        "history_ages": [[60.0, 90.0, 90_000.0]],
    }
    answer = ask("retrieve_by_features", **stored, k=80)
    columns = {
        "user_id": np.zeros(1, np.int32),
        "gender": np.array([1 + prepared.schema.categories["gender"].index("F")], np.int32),
        "occupation": np.zeros(1, np.int32),
        "age": np.array([30.0], np.float32),
        "history_movies": np.array([RATED], np.int32) + 1,
        "history_ratings": np.array([[5, 4, 2]], np.float32),
        "history_ages": np.array([[60, 90, 90_000]], np.float32),
    }
    expected = trained.retrieval.scores(columns).numpy()[0, 1:]
    expected[RATED] = -np.inf
    best = np.argsort(-expected, kind="stable")[:77]
    assert [movie_id.decode() for movie_id in answer["movie_ids"][0][:77]] == [
        movie_ids[code] for code in best
    ]
    np.testing.assert_allclose(answer["scores"][0][:77], expected[best], atol=1e-4)
    assert list(answer["movie_ids"][0][77:]) == [b""] * 3


def test_known_users_get_what_the_model_says(ask, prepared: Prepared, trained: Trained) -> None:
    users = prepared.snapshot("serving").users
    rated = prepared.interactions.matrix()
    scores = trained.retrieval.scores({name: column[:5] for name, column in users.items()}).numpy()[:, 1:]
    for code in range(5):
        scores[code, rated[[code]].indices] = -np.inf
        answer = ask("retrieve", user_id=[prepared.users["user_id"][code]], k=10)
        np.testing.assert_allclose(answer["scores"][0], np.sort(scores[code])[::-1][:10], atol=1e-4)


def test_somebody_without_ratings_gets_what_the_model_says_of_an_empty_history(
    ask, prepared: Prepared, trained: Trained
) -> None:
    answer = ask("retrieve", user_id=["nobody"], k=80)
    columns = {
        name: np.zeros((1, *column.shape[1:]), column.dtype)
        for name, column in prepared.snapshot("serving").users.items()
    }
    columns["age"][:] = np.nan
    expected = trained.retrieval.scores(columns).numpy()[0, 1:]
    np.testing.assert_allclose(answer["scores"][0], np.sort(expected)[::-1], atol=1e-4)
    recommended = ask.movies("recommend", user_id=["", "nobody"], exclude=[[""], [""]], k=20)
    assert recommended[0] == recommended[1]
