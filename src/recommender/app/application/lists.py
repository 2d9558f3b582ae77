"""Lists for a user: which variant makes them, their titles, and the record of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from recommender.app.answers import Movie, Recommendation, Recommendations, Stage
from recommender.app.application.clock import Clock
from recommender.app.application.errors import InvalidRequestError
from recommender.app.application.facts import no_such_user
from recommender.app.application.known_catalogue import KnownCatalogue
from recommender.app.application.shelves import Shelves
from recommender.app.events import EventLog, Shown
from recommender.app.experiments.decision import decide
from recommender.app.features import FeatureStore
from recommender.app.pipeline.circuit_breaker import State
from recommender.app.pipeline.guard import Guard, LeftOutError
from recommender.app.pipeline.listed import Listed, Place
from recommender.app.pipeline.wanted import Wanted
from recommender.app.settings import AppSettings

STORE_SHARE = 0.25  # of a list's time: how long to wait for whether there is such a user


class ListMaker(Protocol):
    """What makes lists: the pipeline."""

    def recommend(self, wanted: Wanted, began: float | None = None) -> Listed:
        """The list that is wanted; something may be left out of its making, but there is one."""
        ...

    def breakers(self) -> dict[str, State]:
        """Of each part that may be slow or down: whether it is asked (`closed`), or left out for now."""
        ...

    def close(self) -> None:
        """Let go of threads."""
        ...


@dataclass(frozen=True)
class Asked:
    """A list as a client asks for it; None leaves a choice to experiments and settings.

    The time that it may take runs from `began` by `time.perf_counter()`: waiting for a turn counts.
    """

    user_id: str
    request_id: str
    began: float
    n: int = 10
    model: str | None = None
    genre: str | None = None
    year_from: int | None = None
    year_to: int | None = None
    diversity: float | None = None
    explain: bool = False


class Lists:
    """Makes lists through the pipeline, as experiments and settings decide, and logs them."""

    def __init__(
        self,
        settings: AppSettings,
        store: FeatureStore,
        pipeline: ListMaker,
        events: EventLog,
        known: KnownCatalogue,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._store = store
        self._guard = Guard("store")
        self._pipeline = pipeline
        self._events = events
        self._known = known
        self._clock = clock

    def recommend(self, asked: Asked) -> Recommendations:
        """The list, as of the next second, so that every rating given so far counts.

        Raises `NotFoundError` for an unknown user and `InvalidRequestError` for a variant, genre or years
        that cannot be. A store that is down is no error: the list is then marked `degraded`, and whether
        there is such a user stays open.
        """
        shelves = self._shelves_if_known(asked)
        self._check(asked, shelves)
        decision = decide(self._settings, asked.user_id, asked.model, asked.diversity)
        second = self._clock.now(shelves) + 1
        listed = self._pipeline.recommend(
            Wanted(
                user_id=asked.user_id,
                n=asked.n,
                variant=self._settings.variants[decision.variant],
                timestamp=second,
                genre=asked.genre,
                year_from=asked.year_from,
                year_to=asked.year_to,
                diversity=decision.diversity,
                explain=asked.explain,
            ),
            asked.began,
        )
        self._events.add(Shown.of(asked.request_id, asked.user_id, decision, listed, time.time(), second))
        return Recommendations(
            request_id=asked.request_id,
            user_id=asked.user_id,
            model=decision.variant,
            assigned_by=decision.assigned_by,
            assignments=decision.assignments,
            degraded=listed.degraded,
            items=[item for place in listed.places if (item := _titled(shelves, place))],
            inside=[
                Stage(name=timing.stage, milliseconds=timing.milliseconds, movies=timing.movies)
                for timing in listed.timings
            ],
            timestamp=second,
        )

    def breakers(self) -> dict[str, State]:
        """See `ListMaker`."""
        return self._pipeline.breakers()

    def close(self) -> None:
        """Let go of threads."""
        self._guard.close()
        self._pipeline.close()

    def _shelves_if_known(self, asked: Asked) -> Shelves:
        """The catalogue; raises `NotFoundError` where the store says in time that it has no such user."""
        deadline = asked.began + STORE_SHARE * self._settings.budget_ms / 1000

        def ask() -> tuple[Shelves, bool]:
            return self._known.current(), self._store.is_known(asked.user_id)

        try:
            shelves, is_known = self._guard.start(ask, deadline).result()
        except LeftOutError:
            return self._known.last()  # the pipeline does without the store, too, and says so
        if not is_known:
            raise no_such_user(asked.user_id)
        return shelves

    def _check(self, asked: Asked, shelves: Shelves) -> None:
        if asked.model is not None and asked.model not in self._settings.variants:
            choices = ", ".join(self._settings.variants)
            raise InvalidRequestError(f"model: must be one of {choices}, received {asked.model!r}")
        genres = shelves.catalogue.schema.genres
        if asked.genre is not None and asked.genre not in genres:
            raise InvalidRequestError(f"genre: must be one of {', '.join(genres)}, received {asked.genre!r}")
        first, last = asked.year_from, asked.year_to
        if first is not None and last is not None and first > last:
            raise InvalidRequestError(f"year_from: must not be after year_to, received {first} and {last}")


def _titled(shelves: Shelves, place: Place) -> Recommendation | None:
    """A place of the list with its title; None for a movie that has gone with the last push."""
    code = shelves.catalogue.places.get(place.movie_id)
    if code is None:
        return None
    return Recommendation(
        **shelves.about(code),
        score=place.score,
        rating=place.prediction,
        channels=list(place.channels),
        because=None if place.because is None else _movies(shelves, place.because),
    )


def _movies(shelves: Shelves, movie_ids: tuple[str, ...]) -> list[Movie]:
    found = (shelves.movie(movie_id) for movie_id in movie_ids)
    return [movie for movie in found if movie is not None]
