"""A model on a server: its status, its metadata and its signatures."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from recommender.client.answers import (
    Prediction,
    Ranking,
    VersionStatus,
    read_movies,
    read_prediction,
    read_ranking,
    read_statuses,
)
from recommender.client.connection import Connection
from recommender.client.errors import UnexpectedAnswer
from recommender.errors import RecommenderError
from recommender.scored_movie import ScoredMovie

DEFAULT_URL = "http://127.0.0.1:8501"
DEFAULT_MODEL = "recommender"
DEFAULT_TIMEOUT = (3.0, 30.0)  # seconds to connect, seconds without a byte of the answer
DEFAULT_RETRIES = 2

Read = TypeVar("Read")


class ModelClient:
    """Asks the recommender that a server holds, through the signatures that `recommender export` writes.

    Every failure is a `RecommenderError`: `ServerUnavailable`, `AnswerTimeout`, `UnexpectedAnswer`, and
    `RequestRefused` with `status` and `reason` (`NotFound`, `ServerFailed`).
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        model: str = DEFAULT_MODEL,
        version: int | None = None,
        timeout: tuple[float, float] = DEFAULT_TIMEOUT,
        retries: int = DEFAULT_RETRIES,
    ) -> None:
        """Ask `model` at `url`, this version of it or the newest that is served; see `Connection`."""
        self._connection = Connection(url, timeout, retries)
        self._path = f"/v1/models/{quote(model, safe='')}"
        if version is not None:
            self._path += f"/versions/{version}"

    def __enter__(self) -> ModelClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open between requests."""
        self._connection.close()

    def status(self) -> list[VersionStatus]:
        """The versions that the server has or had, newest first."""
        return self._understood(read_statuses, self._connection.get(self._path))

    def metadata(self) -> dict[str, Any]:
        """Signature name -> its inputs and outputs, as TensorFlow Serving writes a SignatureDef in JSON."""
        answer = self._connection.get(f"{self._path}/metadata")
        return self._understood(lambda found: found["metadata"]["signature_def"]["signature_def"], answer)

    def predict(
        self,
        instances: Sequence[Any] | None = None,
        inputs: Any = None,
        signature_name: str | None = None,
    ) -> Any:
        """Ask any signature, by rows (`instances`) or by columns (`inputs`); returns predictions or outputs.

        A signature's only output comes without its name.
        """
        if (instances is None) == (inputs is None):
            raise RecommenderError("predict takes either instances or inputs")
        request: dict[str, Any] = {} if signature_name is None else {"signature_name": signature_name}
        request |= {"inputs": inputs} if instances is None else {"instances": instances}
        name = "outputs" if instances is None else "predictions"
        return self._understood(lambda answer: answer[name], self.ask(request))

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to the body of a predict request."""
        return self._connection.post(f"{self._path}:predict", request)

    def curl(self, request: Mapping[str, Any] | None = None) -> str:
        """The same request as a line for a shell, or without one that for the status."""
        address = self._connection.url + self._path
        if request is None:
            return shlex.join(["curl", address])
        return shlex.join(["curl", "-d", json.dumps(request, ensure_ascii=False), f"{address}:predict"])

    def rating(self, user_id: str, movie_title: str, timestamp: int) -> Prediction:
        """What a user would make of a movie at a second, UTC."""
        return self._prediction(
            "serving_default", user_id=[user_id], movie_title=[movie_title], timestamp=[timestamp]
        )

    def rating_by_id(self, user_id: str, movie_id: str, timestamp: int | None = None) -> Prediction:
        """The same by the movie's id, at a second or just after the last rating that the model knows."""
        if timestamp is None:
            return self._prediction("predict_by_id", user_id=[user_id], movie_id=[movie_id])
        return self._prediction(
            "predict_by_id_at", user_id=[user_id], movie_id=[movie_id], timestamp=[timestamp]
        )

    def recommend(self, user_id: str, n: int = 10, exclude: Iterable[str] = ()) -> list[ScoredMovie]:
        """The best `n` movies that the user has not rated, best first, without the ids in `exclude`."""
        return self._movies("recommend", user_id=[user_id], exclude=[list(exclude) or [""]], k=n)

    def retrieve(self, user_id: str, n: int = 10) -> list[ScoredMovie]:
        """The best `n` of the retrieval model alone."""
        return self._movies("retrieve", user_id=[user_id], k=n)

    def retrieve_by_features(self, stored: Mapping[str, Any], n: int = 10) -> list[ScoredMovie]:
        """The same for one user of these features; each has one row, as in `{"age": ["25"], ...}`."""
        return self._movies("retrieve_by_features", **stored, k=n)

    def rank(self, stored: Mapping[str, Any], timestamp: int, movie_ids: Sequence[str]) -> Ranking:
        """The final order's scores and the ranking model's predictions of these movies for one user of these
        features, in their order."""
        return self._ranking("rank", stored, timestamp, movie_ids)

    def rank_by_features(
        self,
        stored: Mapping[str, Any],
        timestamp: int,
        movie_ids: Sequence[str],
        histories: Mapping[str, Sequence[float]],
    ) -> Ranking:
        """The same with each movie's ratings so far: `movie_count` and the other columns of its history have
        one number a movie, NaN = missing."""
        columns = {name: list(values) for name, values in histories.items()}
        return self._ranking("rank_by_features", {**stored, **columns}, timestamp, movie_ids)

    def similar(self, movie: str, n: int = 10) -> list[ScoredMovie]:
        """The `n` movies most like one, given by id or title; raises `RecommenderError` for none such."""
        found = self._movies("similar_movies", movie=[movie], k=n)
        if not found:
            raise RecommenderError(f"no movie with the title or id {movie!r} is in the model")
        return found

    def _ranking(
        self, signature_name: str, features: Mapping[str, Any], timestamp: int, movie_ids: Sequence[str]
    ) -> Ranking:
        inputs = {**features, "timestamp": [timestamp], "movie_ids": list(movie_ids)}
        return self._understood(read_ranking, self.predict(inputs=inputs, signature_name=signature_name))

    def _movies(self, signature_name: str, **inputs: Any) -> list[ScoredMovie]:
        return self._understood(read_movies, self.predict(inputs=inputs, signature_name=signature_name))

    def _prediction(self, signature_name: str, **inputs: Any) -> Prediction:
        return self._understood(read_prediction, self.predict(inputs=inputs, signature_name=signature_name))

    def _understood(self, read: Callable[[Any], Read], answer: Any) -> Read:
        try:
            return read(answer)
        except (LookupError, TypeError, ValueError, AttributeError):
            shown = json.dumps(answer, ensure_ascii=False)[:200]
            address = self._connection.url + self._path
            raise UnexpectedAnswer(f"{address}: the answer has another form: {shown}") from None
