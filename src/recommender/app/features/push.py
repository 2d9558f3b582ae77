"""Filling the store from prepared data: a new version beside the current one, then one switch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.app.features.backend import Backend, MovieRecord, UserRecord
from recommender.app.features.live_events import apply_event, not_in_data
from recommender.app.features.movie_state import MovieState
from recommender.app.features.neighbour_tables import put_neighbours
from recommender.app.features.rating_logs import MOVIE_LOG, USER_LOG, movie_deviations, shrunk_deviations
from recommender.app.features.store_catalogue import HALF_LIFE_DAYS, StoreCatalogue
from recommender.app.features.user_profile import profile_of
from recommender.app.features.user_state import UserState
from recommender.data.interactions import Interactions
from recommender.data.prepared import Prepared
from recommender.similarity.neighbours import Neighbours

BATCH = 500  # users or movies in one write


def push(
    prepared: Prepared,
    backend: Backend,
    until: int | None = None,
    on_progress: Callable[[int], object] = lambda done: None,
    similar: Mapping[str, Neighbours] = MappingProxyType({}),
    half_life_days: float = HALF_LIFE_DAYS,
) -> int:
    """Give the store all users and movies of prepared data, as of its end; returns the new version's number.

    Readers see the old version until the new one is complete, then the new one at once. Ratings that come in
    meanwhile or that the data does not hold yet are carried over. A push that is killed leaves the old
    version; the next push starts over and removes what was left. `until` leaves out ratings from that second
    on; `on_progress` gets the number of users and movies written since the last call; `similar` holds tables
    of similar movies by the name of their model; `half_life_days` is that of the recent popularity. Raises
    `ReplacedError` where another push begins meanwhile.

    Users and movies go to the store in batches of 500. Memory is that of the ratings, about 80 bytes each at
    the peak, of the catalogue and of `similar`, 400 bytes a movie and model.
    """
    ratings = visible_ratings(prepared, until)
    catalogue = StoreCatalogue.of(prepared, ratings, half_life_days)
    version = backend.begin(catalogue.to_bytes())
    backend.remove_old()
    put_neighbours(backend, version, similar)
    for users, movies in _batches(prepared, catalogue, ratings):
        backend.fill(version, users, movies)
        on_progress(len(users) + len(movies))
    _carry_over(prepared, backend, version, catalogue)
    backend.remove_old()
    return version


def _carry_over(prepared: Prepared, backend: Backend, version: int, catalogue: StoreCatalogue) -> None:
    """Do again what has happened live, until nothing is missing, and switch."""
    events = backend.events()
    seen, kept = len(events), not_in_data(events, prepared)
    waiting = kept
    while True:
        for event in waiting:
            backend.change(partial(apply_event, catalogue=catalogue, event=event), version)
        if backend.switch(version, seen, kept):
            return
        waiting = backend.events(seen)
        seen, kept = seen + len(waiting), [*kept, *waiting]


def _batches(
    prepared: Prepared, catalogue: StoreCatalogue, interactions: Interactions
) -> Iterator[tuple[list[UserRecord], list[MovieRecord]]]:
    ratings = np.empty(len(interactions), USER_LOG)
    ratings["movie"], ratings["rating"] = interactions.movie, interactions.rating
    ratings["timestamp"] = interactions.timestamp
    by_movie = _grouped(interactions.movie, interactions, len(catalogue.movie_ids))
    middle = catalogue.rating_middle
    for rows in by_movie:
        ratings["deviation"][rows] = shrunk_deviations(ratings[rows], middle)
    by_user = _grouped(interactions.user, interactions, len(prepared.users))
    said = np.empty(len(interactions))
    for rows in by_user:
        said[rows] = movie_deviations(ratings[rows], middle)
    for start in range(0, len(by_user), BATCH):
        part = slice(start, start + BATCH)
        profiles = prepared.users.iloc[part].itertuples()
        yield [_user(*pair, ratings, catalogue) for pair in zip(profiles, by_user[part], strict=True)], []
    for start in range(0, len(by_movie), BATCH):
        part = slice(start, start + BATCH)
        movies = zip(catalogue.movie_ids[part], by_movie[part], strict=True)
        yield [], [_movie(movie_id, ratings[rows], said[rows]) for movie_id, rows in movies]


def visible_ratings(prepared: Prepared, until: int | None = None) -> Interactions:
    """The ratings that features may see, before a second if one is given; in frozen mode of training only."""
    frozen = prepared.schema.feature_mode == "frozen"
    interactions = prepared.interactions.part("train") if frozen else prepared.interactions
    return interactions if until is None else interactions.where(interactions.timestamp < until)


def _grouped(codes: NDArray, interactions: Interactions, count: int) -> list[NDArray[np.intp]]:
    """The rows of each code, in the order of time and then of the file."""
    order = np.lexsort((interactions.timestamp, codes))
    return np.split(order, np.searchsorted(codes[order], np.arange(1, count)))


def _user(user: Any, rows: NDArray[np.intp], ratings: NDArray, catalogue: StoreCatalogue) -> UserRecord:
    log = ratings[rows]
    profile = profile_of(user, index=user.Index + 1)
    return UserRecord(
        user.user_id, profile.to_bytes(), UserState.of(log, catalogue).to_bytes(), log.tobytes()
    )


def _movie(movie_id: str, ratings: NDArray, deviations: NDArray[np.float64]) -> MovieRecord:
    log = np.empty(len(ratings), MOVIE_LOG)
    log["timestamp"], log["rating"] = ratings["timestamp"], ratings["rating"]
    return MovieRecord(movie_id, MovieState.of(ratings, deviations).to_bytes(), log.tobytes())
