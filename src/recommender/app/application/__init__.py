"""The online recommender without HTTP."""

from recommender.app.application.application import Application
from recommender.app.application.errors import InvalidRequestError, NotFoundError

__all__ = ["Application", "InvalidRequestError", "NotFoundError"]
