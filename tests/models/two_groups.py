"""A tiny world with a known answer: users and movies have a colour, people watch movies of their own."""

from __future__ import annotations

import numpy as np

from recommender.config import RetrievalSettings
from recommender.data.encode import Arrays
from recommender.data.schema import Schema
from recommender.models.movie_embedding import MovieContent
from recommender.models.retrieval import RetrievalModel

USERS, MOVIES, LENGTH = 12, 16, 6  # colour = code % 2; the last movie has no training rating

SCHEMA = Schema(
    dataset="two groups",
    fingerprint="",
    is_synthetic=True,
    rating_scale=(1.0, 5.0),
    split="time_range",
    feature_mode="point_in_time",
    num_users=USERS,
    num_movies=MOVIES,
    known_users=USERS,
    known_movies=MOVIES - 1,
    genres=["even", "odd"],
    genres_per_movie=1,
    categories={"gender": ["F", "M"], "occupation": ["artist", "writer"]},
    numeric={"age": (30.0, 10.0), "release_year": (1990.0, 5.0)},
    history_length=LENGTH,
    liked_length=3,
    top_genres=3,
    liked_threshold=4.0,
    rating_mean=3.5,
    parts={},
)
CONTENT = MovieContent(
    genres=np.concatenate([np.zeros((1, 2)), np.eye(2)[np.arange(MOVIES) % 2]]).astype(np.float32),
    year=np.zeros((MOVIES + 1, 1), np.float32),
)
COUNTS = np.array([4, 8] * (MOVIES // 2 - 1) + [3, 0])


def retrieval_settings(**options: object) -> RetrievalSettings:
    """Small towers; nothing dropped, nobody hidden unless `options` say so."""
    small = {"embedding_size": 8, "negatives": 8, "unknown_user_rate": 0.0, "dropout": 0.0, "priors": []}
    return RetrievalSettings(**{**small, **options})


def model(counts: np.ndarray = COUNTS, **options: object) -> RetrievalModel:
    """A retrieval model of the two groups, not trained."""
    return RetrievalModel(retrieval_settings(**options), SCHEMA, CONTENT, counts)


def users(codes: np.ndarray, histories: list[list[int]]) -> Arrays:
    """Encoded columns of users with these codes and the codes of the movies they rated, newest first."""
    movies = np.zeros((len(codes), LENGTH), np.int32)
    for row, history in enumerate(histories):
        movies[row, : len(history)] = np.array(history, np.int32) + 1
    shape = movies.shape
    return {
        "user_id": np.asarray(codes, np.int32) + 1,
        "gender": np.ones(len(codes), np.int32),
        "occupation": np.ones(len(codes), np.int32),
        "age": np.full(len(codes), 30, np.float32),
        "history_movies": movies,
        "history_ratings": np.where(movies > 0, 4, 0).astype(np.float32),
        "history_deviations": np.zeros(shape, np.float32),
        "history_ages": np.zeros(shape, np.float32),
    }


def stretches(rows: int, seed: int = 0) -> Arrays:
    """Training rows: four movies of the user's colour, each asked for after those before it."""
    random = np.random.default_rng(seed)
    codes = random.integers(0, USERS, rows)
    watched = [code % 2 + 2 * random.choice(MOVIES // 2 - 1, 4, replace=False) + 1 for code in codes]
    movies = np.pad(np.array(watched, np.int32), [[0, 0], [0, LENGTH - 4]])
    ranks = np.full((rows, MOVIES + 1), 2**31 - 1, np.int32)
    np.put_along_axis(ranks, movies[:, :4], np.arange(1, 5, dtype=np.int32)[np.newaxis], axis=1)
    fixed = {name: column for name, column in users(codes, []).items() if not name.startswith("history")}
    return {
        **fixed,
        "movies": movies,
        "ratings": np.where(movies > 0, 4, 0).astype(np.float32),
        "ages": np.zeros(movies.shape, np.float32),
        "positions": np.tile(np.arange(LENGTH + 1), (rows, 1)),
        "targets": np.pad(movies, [[0, 0], [0, 1]])[:, :, np.newaxis],
        "ranks": ranks,
    }
