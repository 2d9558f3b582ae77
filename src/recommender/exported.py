"""Asking an exported SavedModel through its signatures, as any TensorFlow process can."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from recommender.errors import RecommenderError
from recommender.scored_movie import ScoredMovie


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
        return self._ask("recommend", user_id=tf.constant([user_id]), exclude=tf.constant([[""]]), k=n)

    def similar(self, movie: str, n: int = 10) -> list[ScoredMovie]:
        """The `n` movies most like one, given by id or title; raises `RecommenderError` for none such."""
        answer = self._ask("similar_movies", movie=tf.constant([movie]), k=n)
        if not answer:
            raise RecommenderError(f"no movie with the title or id {movie!r} is in the model")
        return answer

    def _ask(self, signature: str, k: int, **given: tf.Tensor) -> list[ScoredMovie]:
        """Call a signature for one row."""
        outputs = self._model.signatures[signature](k=tf.constant(k), **given)
        ids, titles, scores = (outputs[name].numpy()[0] for name in ("movie_ids", "titles", "scores"))
        return [
            ScoredMovie(movie_id.decode(), title.decode(), float(score))
            for movie_id, title, score in zip(ids, titles, scores, strict=True)
            if movie_id  # shorter answers are filled up with empty ids
        ]
