"""What the pipeline asks of a model, wherever it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recommender.app.features.feature_store import CandidateFeatures
from recommender.data.encode import Arrays
from recommender.errors import RecommenderError

RETRIEVE, RANK, SIMILAR = "retrieve_by_features", "rank_by_features", "similar_movies"
RETRIEVE_TO_RANK, RANK_RETRIEVED = "retrieve_to_rank", "rank_retrieved"
SCORES = "scores"
MOVIE_STATE = ("movie_count", "movie_mean", "movie_stddev", "movie_deviation")

Scored = list[tuple[str, float]]


class Retrieved(list[tuple[str, float]]):
    """What retrieval found, and from which `version`, for `AskedModel.rank` to go on from.

    `of_all` `(1, num_movies + 1)` is what it makes of every movie, in an order of the version's own; None
    where that is too much to send.
    """

    def __init__(
        self, found: Iterable[tuple[str, float]], of_all: NDArray[np.float32] | None = None, version: int = 0
    ) -> None:
        super().__init__(found)
        self.of_all, self.version = of_all, version


class ModelUnavailableError(RecommenderError):
    """The model does not answer, is not there, or answers with something that is no answer."""


@dataclass(frozen=True)
class Ranked:
    """Of n candidates in their order: `scores` to order them by and what is predicted, `(n,)` both."""

    scores: NDArray[np.float32]
    predictions: NDArray[np.float32]


@dataclass(frozen=True)
class ModelDescription:
    """Which model answers now; `objective` says what it predicts: `rating`, `like` or `implicit`."""

    name: str
    version: int
    objective: str


class AskedModel(Protocol):
    """A published version, the newest there is; safe to use from several threads.

    All methods raise `ModelUnavailableError` where no answer comes.
    """

    def retrieve(self, user: Arrays, k: int) -> Retrieved:
        """The `k` movies that retrieval scores highest for the features `CandidateFeatures.user`, best first.

        Movies of the history and those that the model knows the user to have rated are not among them.
        """
        ...

    def rank(
        self,
        features: CandidateFeatures,
        movie_ids: Sequence[str],
        timestamp: int,
        retrieved: Retrieved | None = None,
    ) -> Ranked:
        """Scores of candidates with their state as the store has it, as of the second `timestamp`.

        Where `retrieve` was asked for the same user, its answer spares computing the same again.
        """
        ...

    def similar(self, movie_id: str, k: int) -> Scored:
        """The `k` movies whose vectors are nearest, best first, with cosines; none for an unknown movie."""
        ...

    def describe(self) -> ModelDescription:
        """Which version answers, and what it predicts."""
        ...

    def close(self) -> None:
        """Let go of threads, connections and memory."""
        ...


def rank_inputs(features: CandidateFeatures, movie_ids: Sequence[str], timestamp: int) -> Arrays:
    """What the signature `rank_by_features` takes."""
    return {
        **features.user,
        **{name: features.movies[name] for name in MOVIE_STATE},
        "timestamp": np.array([timestamp], np.int64),
        "movie_ids": np.array(movie_ids, object),
    }


def read_ranked(outputs: Mapping[str, NDArray], n: int, where: str) -> Ranked:
    """What the signature `rank_by_features` answers for `n` candidates.

    Raises `ModelUnavailableError` for other shapes and for scores that are no finite numbers.
    """
    scores, predictions = (np.asarray(outputs[name], np.float32) for name in (SCORES, objective_of(outputs)))
    for values in (scores, predictions):
        if values.shape != (n,):
            raise ModelUnavailableError(f"{where}: scores must have shape ({n},), received {values.shape}")
        if not np.isfinite(values).all():
            raise ModelUnavailableError(f"{where}: scores must be finite, received {values.tolist()[:5]}")
    return Ranked(scores, predictions)


def objective_of(outputs: Mapping[str, object]) -> str:
    """What a version predicts, by the names that its signature `rank_by_features` answers with."""
    (objective,) = outputs.keys() - {SCORES}
    return objective


def too_old(where: str, signature: str) -> ModelUnavailableError:
    """The error of a version that lacks a signature, because it was exported before there was one."""
    return ModelUnavailableError(
        f"{where} has no signature {signature}, which lists are made with: "
        "export it again with recommender export"
    )
