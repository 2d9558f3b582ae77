"""What a model server answers, as Python values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recommender.scored_movie import ScoredMovie

EMBEDDINGS = ("user_embedding", "movie_embedding")


@dataclass(frozen=True)
class VersionStatus:
    """How far the server is with one version.

    `state` is START, LOADING, AVAILABLE, UNLOADING or END; `error_code` is OK unless it failed, which
    `error_message` then explains, in one line.
    """

    version: int
    state: str
    error_code: str = "OK"
    error_message: str = ""

    @property
    def failed(self) -> bool:
        """Whether the version could not be loaded."""
        return self.error_code != "OK"


@dataclass(frozen=True)
class Prediction:
    """What a user makes of a movie.

    `value` is stars where `objective` is rating, a probability where it is like or implicit.
    The embeddings are those of the retrieval model.
    """

    objective: str
    value: float
    user_embedding: list[float]
    movie_embedding: list[float]


@dataclass(frozen=True)
class Ranking:
    """What n candidates of one user got, in their order.

    `scores` order them, higher is better, and compare within one answer only. `predictions` are stars where
    `objective` is rating, probabilities where it is like or implicit.
    """

    objective: str
    scores: list[float]
    predictions: list[float]


def read_statuses(answer: Mapping[str, Any]) -> list[VersionStatus]:
    """The versions of a status answer, in its order, which is newest first."""
    return [
        VersionStatus(
            int(found["version"]),
            found["state"],
            found["status"]["error_code"],
            " ".join(found["status"]["error_message"].split()),
        )
        for found in answer["model_version_status"]
    ]


def read_prediction(outputs: Mapping[str, Any]) -> Prediction:
    """The answer for one pair of a user and a movie."""
    (objective,) = outputs.keys() - set(EMBEDDINGS)
    return Prediction(objective, outputs[objective][0], *(outputs[name][0] for name in EMBEDDINGS))


def read_ranking(outputs: Mapping[str, Any]) -> Ranking:
    """The answer for the candidates of one user."""
    (objective,) = outputs.keys() - {"scores"}
    return Ranking(objective, outputs["scores"], outputs[objective])


def read_movies(outputs: Mapping[str, Any]) -> list[ScoredMovie]:
    """The list for one user or movie; shorter ones are filled up with empty ids, which are left out."""
    rows = zip(outputs["movie_ids"][0], outputs["titles"][0], outputs["scores"][0], strict=True)
    return [ScoredMovie(*row) for row in rows if row[0]]
