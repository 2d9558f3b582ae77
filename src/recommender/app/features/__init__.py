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
from recommender.app.features.push import push
from recommender.app.features.rating_statistics import MovieStatistics, UserSummary

__all__ = [
    "CandidateFeatures",
    "FeatureStore",
    "InvalidRatingError",
    "MovieStatistics",
    "ReplacedError",
    "StoreUnavailableError",
    "UnknownModelError",
    "UnknownMovieError",
    "UserSummary",
    "open_backend",
    "push",
]
