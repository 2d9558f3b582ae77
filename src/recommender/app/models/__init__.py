"""Asking the model: in this process or on a model server, behind one interface."""

from recommender.app.models.asked_model import AskedModel, ModelDescription, ModelUnavailableError, Ranked
from recommender.app.models.opening import open_model

__all__ = ["AskedModel", "ModelDescription", "ModelUnavailableError", "Ranked", "open_model"]
