"""An application of fixed answers: a few movies, two users, no store and no model."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from types import SimpleNamespace

from recommender.app.answers import (
    Event,
    ExperimentResult,
    FavouriteGenre,
    GenreFacts,
    ListedMovie,
    Movie,
    MovieFacts,
    RatedMovie,
    Rater,
    Recommendation,
    Recommendations,
    SimilarMovie,
    Stage,
    UserFacts,
)
from recommender.app.application.errors import InvalidRequestError, NotFoundError
from recommender.app.settings import AppSettings

SCRIPT = "<script>alert(1)</script>"
MOVIES = {
    movie.movie_id: movie
    for movie in [
        Movie(movie_id="1", title="Toy Story (1995)", year=1995, genres=["Animation", "Comedy"]),
        Movie(movie_id="2", title="Usual Suspects, The (1995)", year=1995, genres=["Crime", "Thriller"]),
        Movie(movie_id="3", title=f"{SCRIPT} (1999)", year=1999, genres=[SCRIPT, "Drama"]),
        Movie(movie_id="4", title="Nobody Knows When", year=None, genres=["Drama"]),
        Movie(movie_id="5", title="Without Kind (1971)", year=1971, genres=[]),
        Movie(movie_id="6", title="Unendingly" * 40 + " (2001)", year=2001, genres=["Sci-Fi"]),
        Movie(movie_id="a/b c?#", title="Slash & \"Quote\" 'n' More (2003)", year=2003, genres=["Western"]),
        Movie(
            movie_id="8",
            title="Fargo (1996)",
            year=1996,
            genres=["Crime", "Drama"],
            links={"imdb": "https://www.imdb.com/title/tt0116282/", "Bad": "javascript:alert(1)"},
        ),
    ]
}
RATINGS = {"1": 452, "2": 267, "3": 12, "4": 0, "5": 1, "6": 40, "a/b c?#": 3, "8": 508}
DEGRADED = "the ranking model did not answer within 120 ms"
STAGES = [
    Stage(name="features", milliseconds=0.6),
    Stage(name="retrieval", milliseconds=1.1, movies=150),
    Stage(name="rank", milliseconds=2.4, movies=214),
]


class FixedApplication:
    """What the pages ask of `Application`; ratings are kept, nothing else changes.

    `degraded` and `objective` are what lists say of themselves.
    """

    def __init__(self, degraded: Sequence[str] = (), objective: str = "rating") -> None:
        self.settings = AppSettings()
        self.model = SimpleNamespace(describe=lambda: SimpleNamespace(objective=objective))
        self.degraded = list(degraded)
        self.ratings: dict[str, dict[str, float]] = {"42": {"8": 5.0, "2": 4.0}, "7": {}}
        self.about: dict[str, tuple[str | None, int | None, str | None]] = {"42": ("F", 31, "engineer")}
        self.shown: list[ExperimentResult] = []
        self._numbers = itertools.count(1)

    def movie(self, movie_id: str) -> MovieFacts:
        count = RATINGS[_known(movie_id).movie_id]
        raters = [Rater(user_id="42", rating=5.0)] if movie_id == "8" else []
        return MovieFacts(
            **dict(_known(movie_id)), count=count, average=3.5 if count else None, top_raters=raters
        )

    def user(self, user_id: str) -> UserFacts:
        given = self._ratings_of(user_id)
        gender, age, occupation = self.about.get(user_id, (None, None, None))
        history = [
            RatedMovie(**dict(MOVIES[one]), rating=rating, timestamp=880_000_000)
            for one, rating in reversed(given.items())
        ]
        return UserFacts(
            user_id=user_id,
            gender=gender,
            age=age,
            occupation=occupation,
            count=len(given),
            average=sum(given.values()) / len(given) if given else None,
            highest=max(given.values(), default=None),
            lowest=min(given.values(), default=None),
            favourite_genres=[FavouriteGenre(genre="Crime", liked=2)] if given else [],
            history=history,
        )

    def users(self, n: int) -> list[str]:
        return list(self.ratings)[:n]

    def similar(self, movie_id: str, n: int, model: str) -> list[SimilarMovie]:
        _known(movie_id)
        others = [movie for movie in MOVIES.values() if movie.movie_id != movie_id]
        if model == "graph":
            others = others[::-1]
        return [SimilarMovie(**dict(movie), score=0.5) for movie in others[:n]] if model != "genre" else []

    def genres(self) -> list[GenreFacts]:
        names = sorted({genre for movie in MOVIES.values() for genre in movie.genres})
        return [GenreFacts(genre=name, movies=len(self.genre_movies(name, 99, "rating"))) for name in names]

    def rating_scale(self) -> tuple[float, float]:
        return 1.0, 5.0

    def genre_movies(self, genre: str, n: int, sort: str) -> list[ListedMovie]:
        found = [_listed(movie) for movie in MOVIES.values() if genre in movie.genres]
        if not found:
            raise NotFoundError(f"no genre has the name {genre!r}")
        return sorted(found, key=lambda movie: -(movie.year or 0) if sort == "year" else -movie.count)[:n]

    def search(self, query: str, n: int) -> list[ListedMovie]:
        found = [movie for movie in MOVIES.values() if query.lower() in movie.title.lower()]
        return [_listed(movie) for movie in found][:n]

    def recommend(
        self, user_id: str, n: int = 10, model: str | None = None, explain: bool = False, **_: object
    ) -> Recommendations:
        given = self._ratings_of(user_id)
        places = [movie for movie in MOVIES.values() if movie.movie_id not in given]
        because = [MOVIES["8"]] if explain and "8" in given else None
        rating = None if self.degraded else 0.83 if self.model.describe().objective == "like" else 4.26
        return Recommendations(
            request_id=f"request-{next(self._numbers)}",
            user_id=user_id,
            model=model or "two_stage",
            assigned_by="override" if model else "default",
            assignments={"model": "two_stage"},
            degraded=self.degraded,
            items=[
                Recommendation(
                    **dict(movie), score=0.9, rating=rating, channels=["retrieval", "genres"], because=because
                )
                for movie in places[:n]
            ],
            inside=STAGES,
            timestamp=890_000_000,
        )

    def predict(self, user_id: str, movie_id: str) -> float | None:
        return None if self.degraded else 3.9

    def rate(self, user_id: str, movie_id: str, rating: float, timestamp: int | None = None) -> int:
        _known(movie_id)
        if not 1 <= rating <= 5:
            raise InvalidRequestError(f"rating: must be from 1 to 5, received {rating!r}")
        given = self._ratings_of(user_id)
        given.pop(movie_id, None)
        given[movie_id] = rating
        return 890_000_000

    def unrate(self, user_id: str, movie_id: str) -> None:
        if self._ratings_of(user_id).pop(movie_id, None) is None:
            raise NotFoundError(f"user {user_id!r} has not rated a movie with the id {movie_id!r}")

    def newcomer(
        self, liked: Sequence[str], gender: str | None, age: int | None, occupation: str | None
    ) -> tuple[str, Recommendations]:
        unknown = [movie_id for movie_id in liked if movie_id not in MOVIES]
        if unknown:
            raise InvalidRequestError(f"liked: must be ids of movies, received {unknown[0]!r}")
        user_id = f"new-{next(self._numbers)}"
        self.ratings[user_id] = dict.fromkeys(liked, 5.0)
        self.about[user_id] = (gender, age, occupation)
        return user_id, self.recommend(user_id)

    def record(self, event: Event) -> None:
        raise AssertionError("the pages report events over the API")

    def experiments(self) -> list[ExperimentResult]:
        return self.shown

    def _ratings_of(self, user_id: str) -> dict[str, float]:
        if user_id not in self.ratings:
            raise NotFoundError(f"no user has the id {user_id!r}")
        return self.ratings[user_id]


def _known(movie_id: str) -> Movie:
    if movie_id not in MOVIES:
        raise NotFoundError(f"no movie has the id {movie_id!r}")
    return MOVIES[movie_id]


def _listed(movie: Movie) -> ListedMovie:
    count = RATINGS[movie.movie_id]
    return ListedMovie(**dict(movie), count=count, average=3.5 if count else None)
