"""From settings to an application that answers: the store, the model, the pipeline."""

from __future__ import annotations

from recommender.app.application.application import Application
from recommender.app.application.native_memory import share_native_memory
from recommender.app.events import EventLog
from recommender.app.features import FeatureStore
from recommender.app.models import open_model
from recommender.app.pipeline.pipeline import Pipeline
from recommender.app.settings import AppSettings


def open_application(settings: AppSettings, store: FeatureStore) -> Application:
    """The application on a store that holds features; takes seconds where the model is in this process.

    Raises `ConfigError` for settings that cannot be and `ModelUnavailableError` where no version loads.
    """
    share_native_memory()
    model = open_model(settings)
    return Application(settings, store, model, Pipeline(settings, store, model), EventLog(settings.events))
