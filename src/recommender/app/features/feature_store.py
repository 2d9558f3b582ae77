"""The online feature store: every user's and movie's declared features as of now, and each rating at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np

from recommender.app.features import live_events, rating_changes
from recommender.app.features.backend import Backend, Records, Transaction
from recommender.app.features.errors import UnknownModelError, UnknownMovieError
from recommender.app.features.movie_features import movie_features
from recommender.app.features.movie_statistics import MovieStatistics
from recommender.app.features.neighbour_tables import NeighbourTables
from recommender.app.features.rating_changes import Rated, check_rating, check_user_id
from recommender.app.features.rating_logs import USER_LOG, read_log
from recommender.app.features.store_catalogue import StoreCatalogue
from recommender.app.features.user_features import UserFeatures
from recommender.app.features.user_profile import UserProfile, check_profile
from recommender.app.features.user_state import UserPast, UserState
from recommender.data.encode import Arrays

Result = TypeVar("Result")


@dataclass(frozen=True)
class CandidateFeatures:
    """One user's features and those of n candidates at one moment, from `version` of the store.

    `movies` holds encoded columns `(n, ...)`, as `encode_features` makes them.
    """

    version: int
    of_user: UserFeatures
    movies: Arrays

    @property
    def user(self) -> Arrays:
        """What the exported signatures `rank` and `retrieve_by_features` take of the user; not padded."""
        return self.of_user.stored

    @cached_property
    def encoded_user(self) -> Arrays:
        """The user's encoded columns `(1, ...)`, for a model of the data that the version came from."""
        return self.of_user.encoded()


class FeatureStore:
    """Features of users and movies on a `Backend`; safe to use from several threads and processes.

    All methods raise `StoreUnavailableError` where the backend does not answer or holds no version yet.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._latest: tuple[int, StoreCatalogue] | None = None
        self._tables = NeighbourTables(backend)

    def features_for(self, user_id: str, movie_ids: Sequence[str], timestamp: int) -> CandidateFeatures:
        """The features of a user and of candidates as of the second `timestamp`.

        Ratings of that very second do not count: to see one just given, ask for the next second. A user or
        movie that the store lacks is one of which nothing is known. For a second before the user's last
        rating the log is asked too; a movie's later ratings are then left out by whole seconds only as far
        as `movie_features` says.
        """
        while True:
            records = self.backend.read(user_id, movie_ids)
            catalogue = self._catalogue(records.version)
            past = self._past(records, catalogue, user_id, timestamp) if catalogue else None
            if catalogue and past:
                break  # else the version was replaced in between: ask the new one
        user = UserFeatures(user_id, UserProfile.from_bytes(records.profile), past, timestamp, catalogue)
        movies = movie_features(movie_ids, records.movies, timestamp, catalogue)
        return CandidateFeatures(records.version, user, movies)

    def with_movies(self, features: CandidateFeatures, movie_ids: Sequence[str]) -> CandidateFeatures:
        """The same user at the same moment, with these candidates, as they are now.

        Where the store has another version since, the user is read anew, too.
        """
        of_user = features.of_user
        records = self.backend.read("", movie_ids)
        if records.version != features.version:
            return self.features_for(of_user.user_id, movie_ids, of_user.second)
        movies = movie_features(movie_ids, records.movies, of_user.second, of_user.catalogue)
        return replace(features, movies=movies)

    def add_rating(
        self, user_id: str, movie_id: str, rating: float, timestamp: int, replace: bool = False
    ) -> None:
        """Count a rating and return when it is durable; a second rating of the same movie counts too.

        With `replace` it counts alone: in one step it takes the place of all earlier ones of that movie.
        Raises `InvalidRatingError` for a rating outside the scale, a movie that the catalogue lacks or a time
        that is no whole number of seconds. A user nobody knew is known from now on.
        """

        def work(transaction: Transaction, catalogue: StoreCatalogue) -> None:
            rated = check_rating(catalogue, user_id, movie_id, rating, timestamp)
            if replace:
                for earlier in rating_changes.replace(transaction, catalogue, rated):
                    transaction.add_event(live_events.rating_removed(earlier))
            else:
                rating_changes.add(transaction, catalogue, rated)
            transaction.add_event(live_events.rating_added(rated))

        self._change(work)

    def remove_rating(self, user_id: str, movie_id: str) -> int:
        """Take back all ratings that a user gave a movie, durably; returns how many there were."""

        def work(transaction: Transaction, catalogue: StoreCatalogue) -> int:
            removed = rating_changes.remove(transaction, catalogue, user_id, movie_id)
            for rated in removed:
                transaction.add_event(live_events.rating_removed(rated))
            return len(removed)

        return self._change(work)

    def describe_user(
        self,
        user_id: str,
        gender: str | None = None,
        age: int | None = None,
        occupation: str | None = None,
    ) -> None:
        """Set what a user tells of themselves; makes a user without ratings where there was none.

        Raises `InvalidRatingError` for an empty id and values that no user can have.
        """
        check_user_id(user_id)
        given = check_profile(gender, age, occupation)

        def work(transaction: Transaction, catalogue: StoreCatalogue) -> None:
            live_events.describe(transaction, user_id, given)
            transaction.add_event(live_events.user_described(user_id, given))

        self._change(work)

    def ratings_of(self, user_id: str) -> list[Rated]:
        """All ratings of a user, oldest first; empty for one that the store lacks."""
        while True:
            version, log = self.backend.log("user", user_id)
            if catalogue := self._catalogue(version):
                break
        return [
            Rated(user_id, catalogue.movie_ids[movie], rating, timestamp)
            for movie, rating, timestamp, _ in read_log(log, USER_LOG).tolist()
        ]

    def is_known(self, user_id: str) -> bool:
        """Whether the store has the user, with or without ratings."""
        return self.backend.read(user_id, []).profile is not None

    def movie_statistics(self, movie_id: str) -> MovieStatistics:
        """Number and mean of all ratings of a movie, live ones too; raises `UnknownMovieError`."""
        records, catalogue = self._current(movie_ids=[movie_id])
        _place(catalogue, movie_id)
        return MovieStatistics.of(records.movies[0])

    def neighbours(self, model: str, movie_id: str, n: int) -> list[tuple[str, float]]:
        """Up to `n` movies like one and their scores, the most similar first, by a table that was pushed.

        There are at most 50, and none for a movie that the model knows nothing of. Raises `UnknownMovieError`
        for a movie that the catalogue lacks, `UnknownModelError` for a table that was not pushed.
        """
        while True:
            records, catalogue = self._current()
            code = _place(catalogue, movie_id)
            try:
                table = self._tables.table(records.version, model)
            except UnknownModelError:
                if self.version() == records.version:
                    raise
            else:
                return [(catalogue.movie_ids[other], score) for other, score in table.of(code, n)]

    def version(self) -> int:
        """The current version's number; it changes with each push."""
        return self.backend.read("", []).version

    def catalogue(self) -> StoreCatalogue:
        """The movies and the schema of the current version."""
        return self._current()[1]

    def close(self) -> None:
        """Let go of connections."""
        self.backend.close()

    def _change(self, work: Callable[[Transaction, StoreCatalogue], Result]) -> Result:
        return self.backend.change(
            lambda transaction: work(transaction, self._read_once(transaction.version, transaction.catalogue))
        )

    def _current(self, movie_ids: Sequence[str] = ()) -> tuple[Records, StoreCatalogue]:
        """What the current version keeps of movies, and its catalogue."""
        while True:
            records = self.backend.read("", movie_ids)
            if catalogue := self._catalogue(records.version):
                return records, catalogue

    def _catalogue(self, version: int) -> StoreCatalogue | None:
        """A version's catalogue; None where the version is gone."""
        if self._latest and self._latest[0] == version:
            return self._latest[1]
        content = self.backend.catalogue(version)
        return None if content is None else self._read_once(version, lambda: content)

    def _read_once(self, version: int, read: Callable[[], bytes]) -> StoreCatalogue:
        latest = self._latest
        if latest is None or latest[0] != version:
            latest = self._latest = (version, StoreCatalogue.from_bytes(read()))
        return latest[1]

    def _past(
        self, records: Records, catalogue: StoreCatalogue, user_id: str, second: int
    ) -> UserPast | None:
        """What the user had done before a second; None where the version was replaced in between."""
        past = UserState.from_bytes(records.user).before(second, catalogue)
        if past is not None:
            return past
        version, content = self.backend.log("user", user_id)
        log = read_log(content, USER_LOG)
        earlier = log[: np.searchsorted(log["timestamp"], second)]
        return UserPast().followed_by(earlier, catalogue) if version == records.version else None


def _place(catalogue: StoreCatalogue, movie_id: str) -> int:
    """A movie's code; raises `UnknownMovieError`."""
    place = catalogue.places.get(movie_id)
    if place is None:
        raise UnknownMovieError(f"movie_id must be a movie of the catalogue, received {movie_id!r}")
    return place
