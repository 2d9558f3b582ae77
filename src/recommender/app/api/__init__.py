"""The JSON API over HTTP."""

from recommender.app.api.server_api import create_api

__all__ = ["create_api"]
