"""Asking a served model over REST: TensorFlow Serving's or ours, they answer the same."""

from recommender.client.answers import Prediction, Ranking, VersionStatus
from recommender.client.errors import (
    AnswerTimeout,
    NotFound,
    RequestRefused,
    ServerFailed,
    ServerUnavailable,
    UnexpectedAnswer,
)
from recommender.client.model_client import ModelClient
from recommender.scored_movie import ScoredMovie

__all__ = [
    "AnswerTimeout",
    "ModelClient",
    "NotFound",
    "Prediction",
    "Ranking",
    "RequestRefused",
    "ScoredMovie",
    "ServerFailed",
    "ServerUnavailable",
    "UnexpectedAnswer",
    "VersionStatus",
]
