"""What fitting a model leaves, be it of retrieval or of ranking."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

import tensorflow as tf

from recommender.training.checkpoints import Progress

Model = TypeVar("Model", bound=tf.keras.Model)


class Fitted(NamedTuple, Generic[Model]):
    """A model to serve, the one that has not seen the validation split, and how its fit went.

    Both are the same without `refit`.
    """

    model: Model
    validated: Model
    progress: Progress
