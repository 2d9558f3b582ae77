"""What can go wrong with a feature store."""

from recommender.errors import RecommenderError


class InvalidRatingError(RecommenderError):
    """A rating, or what is said of a user, that the store must not take: rule and value in one line."""


class StoreUnavailableError(RecommenderError):
    """The store does not answer, is locked, holds no features yet or has another layout.

    Where it is raised by a change, the change may have been made: the answer was lost, not the question.
    """


class ReplacedError(RecommenderError):
    """A push was overtaken by another one that began later."""


class UnknownMovieError(RecommenderError):
    """A movie id that the catalogue lacks."""


class UnknownModelError(RecommenderError):
    """A way of finding similar movies whose table was not pushed."""
