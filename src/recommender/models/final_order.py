"""The final order of candidates: one linear score of what retrieval and ranking say of each."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

NEARLY_SURE = 1e-6  # probabilities closer to 0 or 1 than this have the log-odds of this


@dataclass(frozen=True)
class FinalOrder:
    """What the score of retrieval and the preference that the ranking model predicts weigh.

    The score of a candidate depends on the user and on it alone, so any candidates can be ordered, wherever
    they come from, and what else is in the list changes nothing between two.
    """

    retrieval: float = 1.0
    preference: float = 0.0

    def scores(self, retrieved: tf.Tensor, preference: tf.Tensor, user_count: tf.Tensor) -> tf.Tensor:
        """Scores `(..., c)` of candidates, higher is better; `user_count` `(..., 1)` are the user's ratings.

        A user without ratings gets the order of retrieval: what is predicted of somebody unknown is the
        quality of a movie, and people rather watch what is popular than what is good.
        """
        return tf.where(user_count > 0, self.retrieval * retrieved + self.preference * preference, retrieved)


def preference_of(prediction: tf.Tensor, objective: str) -> tf.Tensor:
    """Predictions on a scale that can be added up: stars as they are, probabilities as log-odds."""
    if objective == "rating":
        return prediction
    inside = tf.clip_by_value(prediction, NEARLY_SURE, 1 - NEARLY_SURE)
    return tf.math.log(inside) - tf.math.log1p(-inside)
