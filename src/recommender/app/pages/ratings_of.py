"""What a user has given a movie."""

from __future__ import annotations

from recommender.app.answers import UserFacts


def rating_of(user: UserFacts, movie_id: str) -> float | None:
    """The newest rating in the user's history; None without one."""
    return next((rated.rating for rated in user.history if rated.movie_id == movie_id), None)
