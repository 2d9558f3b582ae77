"""What the online recommender answers: the typed models that the JSON API sends and the pages show."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """What all answers share."""

    model_config = ConfigDict(frozen=True)


class Movie(Answer):
    """What is known of a movie before anybody rates it; `links` by the name of the site."""

    movie_id: str
    title: str
    year: int | None
    genres: list[str]
    links: dict[str, str] = {}


class Rater(Answer):
    """A user and what they gave."""

    user_id: str
    rating: float


class MovieFacts(Movie):
    """A movie's page; `average` is None without ratings.

    `degraded` holds `features` where the store does not answer: numbers are then those of the last push, and
    `top_raters` is empty.
    """

    count: int
    average: float | None
    top_raters: list[Rater]
    degraded: list[str] = []


class ListedMovie(Movie):
    """A place in a list by genre or search; `average` is shrunk towards the mean of all movies."""

    count: int
    average: float | None


class SimilarMovie(Movie):
    """A movie like another one; scores of different models do not compare."""

    score: float


class RatedMovie(Movie):
    """A line of a user's history; `timestamp` in seconds UTC."""

    rating: float
    timestamp: int


class FavouriteGenre(Answer):
    """A genre by how many liked movies have it."""

    genre: str
    liked: int


class UserFacts(Answer):
    """A user's page; the history is newest first; numbers are None without ratings."""

    user_id: str
    gender: str | None
    age: int | None
    occupation: str | None
    count: int
    average: float | None
    highest: float | None
    lowest: float | None
    favourite_genres: list[FavouriteGenre]
    history: list[RatedMovie]


class Recommendation(Movie):
    """A place in a list for a user.

    `score` orders the list; `rating` is what the user is expected to give, or the probability of a like where
    that is what the model predicts; None where the ranking model was not asked. `channels` say where the
    candidate came from. `because` are movies that the user liked and that are most like this one.
    """

    score: float
    rating: float | None
    channels: list[str]
    because: list[Movie] | None = None


class Stage(Answer):
    """One step of an answer: how long it took and how many movies came out of it."""

    name: str
    milliseconds: float
    movies: int | None = None


class Recommendations(Answer):
    """A list for a user, best first.

    `request_id` is what impressions and clicks refer to; `assigned_by` names the experiment that chose
    `model`, `override` where the request did, or `default`. `degraded` says what was left out because it was
    slow or down; the list is then by retrieval or popularity.
    """

    request_id: str
    user_id: str
    model: str
    assigned_by: str
    assignments: dict[str, str]
    degraded: list[str]
    items: list[Recommendation]
    inside: list[Stage]
    timestamp: int


class GenreFacts(Answer):
    """A genre and how many movies have it."""

    genre: str
    movies: int


class Event(BaseModel):
    """An impression of movies, or a click on one, as the page reports it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["impression", "click"]
    request_id: str = Field(min_length=1, max_length=64)
    user_id: str = Field(min_length=1, max_length=200)
    movie_ids: list[str] = Field(min_length=1, max_length=200)


class VariantResult(Answer):
    """What became of the lists of one variant; the interval is Wilson's at 95 %."""

    variant: str
    weight: float
    share: float
    requests: int
    impressions: int
    clicks: int
    click_through: float | None
    interval: tuple[float, float] | None


class ExperimentResult(Answer):
    """An experiment with its traffic so far."""

    experiment: str
    decides: str
    variants: list[VariantResult]


class Problem(Answer):
    """Every error of the API: one sentence, and the request it belongs to."""

    error: str
    request_id: str
