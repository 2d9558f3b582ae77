"""Asking an exported SavedModel through its signatures, as any TensorFlow process can."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from recommender.errors import RecommenderError


@dataclass(frozen=True)
class ScoredMovie:
    """One place in an answer."""

    movie_id: str
    title: str
    score: float


class ExportedModel:
    """A version folder, loaded."""

    def __init__(self, folder: Path) -> None:
        """Load the SavedModel in `folder`; raises `RecommenderError` where there is none."""
        try:
            self._model = tf.saved_model.load(str(folder))
        except OSError as error:
            raise RecommenderError(f"{folder}: no SavedModel that can be loaded: {error}") from None

    def recommend(self, user_id: str, n: int = 10) -> list[ScoredMovie]:
        """The best `n` movies that the user has not rated, best first; fewer where there are fewer."""
        return self._ask("recommend", user_id=user_id, k=n)

    def similar(self, movie: str, n: int = 10) -> list[ScoredMovie]:
        """The `n` movies most like one, given by title or id; raises `RecommenderError` for none such."""
        answer = self._ask("similar_movies", movie_title=movie, k=n)
        answer = answer or self._ask("similar_movies", movie_id=movie, k=n)
        if not answer:
            raise RecommenderError(f"no movie with the title or id {movie!r} is in the model")
        return answer

    def _ask(self, signature: str, **given: str | int) -> list[ScoredMovie]:
        """Call a signature for one row; inputs that are not given are empty or 0."""
        function = self._model.signatures[signature]
        inputs = {
            name: tf.fill([1] * spec.shape.rank, tf.constant(given.get(name, _nothing(spec)), spec.dtype))
            for name, spec in function.structured_input_signature[1].items()
        }
        outputs = function(**inputs)
        ids, titles, scores = (outputs[name].numpy()[0] for name in ("movie_ids", "titles", "scores"))
        return [
            ScoredMovie(movie_id.decode(), title.decode(), float(score))
            for movie_id, title, score in zip(ids, titles, scores, strict=True)
            if movie_id  # shorter answers are filled up with empty ids
        ]


def _nothing(spec: Any) -> str | int:
    return "" if spec.dtype == tf.string else 0
