"""How asking a model server can fail."""

from __future__ import annotations

from recommender.errors import RecommenderError


class ServerUnavailable(RecommenderError):  # noqa: N818
    """Nobody answers there: no connection, or it broke."""


class AnswerTimeout(ServerUnavailable):
    """The request was sent and nothing came back in time; the server may still be at it."""


class UnexpectedAnswer(RecommenderError):  # noqa: N818
    """Somebody answers, but not as a model server does."""


class RequestRefused(RecommenderError):  # noqa: N818
    """The server answers with an error."""

    def __init__(self, address: str, status: int, reason: str) -> None:
        """Take the HTTP status and the server's own words."""
        super().__init__(f"{address} answers {status}: {reason}")
        self.status = status
        self.reason = reason


class NotFound(RequestRefused):
    """The server has no such model or version (404)."""


class ServerFailed(RequestRefused):
    """The request is not at fault (500 to 599), so it may succeed later."""


def refusal(address: str, status: int, reason: str) -> RequestRefused:
    """The error for an HTTP status."""
    if status == 404:
        return NotFound(address, status, reason)
    return (ServerFailed if status >= 500 else RequestRefused)(address, status, reason)
