"""What can be wrong with a question to the application."""

from recommender.errors import RecommenderError


class NotFoundError(RecommenderError):
    """No such user, movie, genre or rating: what was asked for, in one line."""


class InvalidRequestError(RecommenderError):
    """A question that cannot be answered as it is: field, rule and value in one line."""
