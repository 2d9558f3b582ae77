"""Asking the model: in this process or on a model server, behind one interface."""

from recommender.app.models.asked_model import (
    AskedModel,
    ModelDescription,
    ModelUnavailableError,
    Ranked,
    Retrieved,
)
from recommender.app.models.opening import open_model

__all__ = ["AskedModel", "ModelDescription", "ModelUnavailableError", "Ranked", "Retrieved", "open_model"]
