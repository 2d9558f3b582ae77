"""From settings to the model that answers."""

from __future__ import annotations

from recommender.app.models.asked_model import AskedModel
from recommender.app.settings import AppSettings


def open_model(settings: AppSettings) -> AskedModel:
    """The model server's at `model.url`, or else a published version in this process.

    Raises `ConfigError` for a bad URL and `ModelUnavailableError` where no version can be loaded here. A
    server is not asked yet: lists are made without it until it answers.
    """
    if settings.model.url is not None:
        from recommender.app.models.remote import RemoteModel

        return RemoteModel(settings.model, settings.budget_ms)
    from recommender.app.models.in_process import InProcessModel

    return InProcessModel(settings.model)
