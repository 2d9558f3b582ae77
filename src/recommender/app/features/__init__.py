"""The online feature store: features of users and movies as of now, on SQLite or Redis."""

from recommender.app.features.addresses import open_backend
from recommender.app.features.errors import (
    InvalidRatingError,
    ReplacedError,
    StoreUnavailableError,
    UnknownModelError,
    UnknownMovieError,
)
from recommender.app.features.feature_store import CandidateFeatures, FeatureStore
from recommender.app.features.movie_statistics import MovieStatistics
from recommender.app.features.push import push

__all__ = [
    "CandidateFeatures",
    "FeatureStore",
    "InvalidRatingError",
    "MovieStatistics",
    "ReplacedError",
    "StoreUnavailableError",
    "UnknownModelError",
    "UnknownMovieError",
    "open_backend",
    "push",
]
