"""What models must know of the data: vocabularies and statistics, fitted on the training split only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
from pydantic import BaseModel, ConfigDict

from recommender.config import Settings
from recommender.data.catalogue import Catalogue
from recommender.data.features import FEATURES
from recommender.data.interactions import SPLITS, Interactions

if TYPE_CHECKING:
    from recommender.data.tables import Tables


class PartSummary(BaseModel):
    """Size of one split, and the share of its rows by users and of movies that training has not seen."""

    rows: int
    users: int
    movies: int
    unseen_user_share: float
    unseen_movie_share: float
    first_timestamp: int
    last_timestamp: int


class Schema(BaseModel):
    """What a model is built from, saved beside the prepared data.

    `numeric` holds (mean, standard deviation) of each numeric feature over the training rows that have it,
    after log(1 + x) where the feature asks for it.
    """

    model_config = ConfigDict(frozen=True)

    dataset: str
    fingerprint: str
    is_synthetic: bool
    rating_scale: tuple[float, float]
    split: str
    feature_mode: str
    num_users: int
    num_movies: int
    known_users: int
    known_movies: int
    genres: list[str]
    genres_per_movie: int
    categories: dict[str, list[str]]
    numeric: dict[str, tuple[float, float]]
    history_length: int
    liked_length: int
    top_genres: int
    liked_threshold: float
    rating_mean: float
    parts: dict[str, PartSummary]


def fit_schema(
    settings: Settings,
    tables: Tables,
    interactions: Interactions,
    catalogue: Catalogue,
    features: Sequence[Path],
) -> Schema:
    """Fit vocabularies and statistics on the training rows of the shards `features`."""
    training = interactions.part("train")
    return Schema(
        dataset=tables.name,
        fingerprint=tables.fingerprint,
        is_synthetic=tables.is_synthetic,
        rating_scale=tables.rating_scale,
        split=settings.data.split,
        feature_mode=settings.features.mode,
        num_users=interactions.num_users,
        num_movies=interactions.num_movies,
        known_users=catalogue.known_users,
        known_movies=catalogue.known_movies,
        genres=catalogue.genres,
        genres_per_movie=max(1, max(len(genres) for genres in catalogue.movies["genres"])),
        categories=_categories(catalogue),
        numeric=_numeric_statistics(features, interactions),
        history_length=settings.features.history_length,
        liked_length=settings.features.liked_length,
        top_genres=settings.features.top_genres,
        liked_threshold=settings.features.liked_threshold,
        rating_mean=float(np.mean(training.rating, dtype=np.float64)),
        parts={name: _summary(interactions.part(name), catalogue) for name in SPLITS},
    )


def _categories(catalogue: Catalogue) -> dict[str, list[str]]:
    """The values of each categorical column among the users seen in training."""
    known = catalogue.users.iloc[: catalogue.known_users]
    names = [feature.name for feature in FEATURES if feature.kind == "categorical"]
    return {name: sorted(known[name].dropna().unique()) for name in names}


def _numeric_statistics(
    features: Sequence[Path], interactions: Interactions
) -> dict[str, tuple[float, float]]:
    """(mean, standard deviation) of each numeric feature in training; (0, 1) where no row has a value."""
    numeric = [feature for feature in FEATURES if feature.kind == "numeric"]
    values = [f"LN(1 + {feature.name})" if feature.log else feature.name for feature in numeric]
    aggregates = ", ".join(f"AVG({value}), STDDEV_POP({value})" for value in values)
    training = {"row": np.flatnonzero(interactions.split == 0)}
    with duckdb.connect() as connection:
        connection.register("training", training)
        query = f"SELECT {aggregates} FROM read_parquet(?) SEMI JOIN training USING (row)"
        row = connection.execute(query, [[str(path) for path in features]]).fetchone()
    assert row is not None
    pairs = zip(row[::2], row[1::2], strict=True)
    return {
        feature.name: (mean or 0.0, stddev or 1.0)
        for feature, (mean, stddev) in zip(numeric, pairs, strict=True)
    }


def _summary(part: Interactions, catalogue: Catalogue) -> PartSummary:
    return PartSummary(
        rows=len(part),
        users=len(np.unique(part.user)),
        movies=len(np.unique(part.movie)),
        unseen_user_share=float(np.mean(part.user >= catalogue.known_users)),
        unseen_movie_share=float(np.mean(part.movie >= catalogue.known_movies)),
        first_timestamp=int(part.timestamp.min()),
        last_timestamp=int(part.timestamp.max()),
    )
