"""What one rating more or less changes, now: the user's state, the movie's and both logs.

What a user's rating says of its movie depends on that user's earlier ratings, so a rating that comes late or
goes also changes the sums of the movies that the same user rated after it. The deviations of what *other*
users have rated stay as they were known when those ratings came: to correct them too, everybody who rated
the movie since would have to be gone through. The next push, which computes everything anew, settles that.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.app.features.backend import Transaction
from recommender.app.features.errors import InvalidRatingError
from recommender.app.features.movie_state import MovieState
from recommender.app.features.rating_logs import (
    MOVIE_LOG,
    USER_LOG,
    deviation_of_next,
    movie_deviation_of_next,
    movie_deviations,
    read_log,
)
from recommender.app.features.rating_sums import NOTHING, RatingSums
from recommender.app.features.store_catalogue import StoreCatalogue
from recommender.app.features.user_profile import UserProfile
from recommender.app.features.user_state import UserState

LAST_SECOND = 2**53  # what every engine and JSON hold exactly


@dataclass(frozen=True)
class Rated:
    """A rating that has been checked, in the precision of the ratings table."""

    user_id: str
    movie_id: str
    rating: float
    timestamp: int


def check_rating(
    catalogue: StoreCatalogue, user_id: Any, movie_id: Any, rating: Any, timestamp: Any
) -> Rated:
    """A rating that the store can take; raises `InvalidRatingError` naming the rule and the value."""
    check_user_id(user_id)
    if not isinstance(movie_id, str) or movie_id not in catalogue.places:
        raise InvalidRatingError(f"movie_id must be a movie of the catalogue, received {movie_id!r}")
    low, high = catalogue.schema.rating_scale
    number = isinstance(rating, (int, float)) and not isinstance(rating, bool)
    if not (number and math.isfinite(rating) and low <= rating <= high):
        raise InvalidRatingError(f"rating must be a number from {low:g} to {high:g}, received {rating!r}")
    whole = isinstance(timestamp, int) and not isinstance(timestamp, bool)
    if not (whole and 0 <= timestamp <= LAST_SECOND):
        raise InvalidRatingError(f"timestamp must be whole seconds since 1970 UTC, received {timestamp!r}")
    return Rated(user_id, movie_id, float(np.float32(rating)), timestamp)


def check_user_id(user_id: Any) -> None:
    """Raise `InvalidRatingError` for what is no user id."""
    if not (isinstance(user_id, str) and user_id):
        raise InvalidRatingError(f"user_id must be a text that is not empty, received {user_id!r}")


def add(transaction: Transaction, catalogue: StoreCatalogue, rated: Rated) -> None:
    """Count a rating, whether it is the newest or comes late; a user nobody knew is one from now on."""
    records = transaction.read(rated.user_id, [rated.movie_id])
    user, movie = UserState.from_bytes(records.user), MovieState.from_bytes(records.movies[0])
    if records.profile is None:
        transaction.put_profile(rated.user_id, UserProfile().to_bytes())
    row = _user_row(transaction, catalogue, rated, movie)
    past = user.before(rated.timestamp, catalogue)
    if past is None:
        log = read_log(transaction.log("user", rated.user_id), USER_LOG)
        place = int(np.searchsorted(log["timestamp"], rated.timestamp, side="right"))
        longer = np.concatenate([log[:place], row, log[place:]])
        _replace_user_log(transaction, catalogue, rated.user_id, (log, longer), place)
    else:
        middle = catalogue.rating_middle
        said = movie_deviation_of_next(past.sums.number, past.sums.deviations, rated.rating, middle)
        sums = RatingSums(1, rated.rating, rated.rating**2, said)
        transaction.put_state("user", rated.user_id, user.plus(row, catalogue).to_bytes())
        transaction.append("user", rated.user_id, row.tobytes())
        transaction.put_state("movie", rated.movie_id, movie.plus(rated.timestamp, sums).to_bytes())
    transaction.append(
        "movie", rated.movie_id, np.array([(rated.timestamp, rated.rating)], MOVIE_LOG).tobytes()
    )


def remove(
    transaction: Transaction,
    catalogue: StoreCatalogue,
    user_id: str,
    movie_id: str,
    timestamp: int | None = None,
) -> list[Rated]:
    """Take back all ratings that a user gave a movie, or those of one second; returns them."""
    log = read_log(transaction.log("user", user_id), USER_LOG)
    gone = log["movie"] == catalogue.places.get(movie_id, -1)
    if timestamp is not None:
        gone &= log["timestamp"] == timestamp
    if not gone.any():
        return []
    ratings = _without(read_log(transaction.log("movie", movie_id), MOVIE_LOG), log[gone])
    _replace_user_log(transaction, catalogue, user_id, (log, log[~gone]), int(gone.argmax()))
    transaction.replace_log("movie", movie_id, ratings.tobytes())
    return _rated(user_id, movie_id, log[gone])


def replace(transaction: Transaction, catalogue: StoreCatalogue, rated: Rated) -> list[Rated]:
    """Count a rating in the place of all that its user gave the movie before; returns those.

    Leaves what `remove` and then `add` would, but nobody sees the moment between the two.
    """
    log = read_log(transaction.log("user", rated.user_id), USER_LOG)
    gone = log["movie"] == catalogue.places[rated.movie_id]
    if not gone.any():
        add(transaction, catalogue, rated)
        return []
    ratings = _without(read_log(transaction.log("movie", rated.movie_id), MOVIE_LOG), log[gone])
    row = _row_after(ratings, catalogue, rated)
    kept = log[~gone]
    place = int(np.searchsorted(kept["timestamp"], rated.timestamp, side="right"))
    new = np.concatenate([kept[:place], row, kept[place:]])
    _replace_user_log(transaction, catalogue, rated.user_id, (log, new), min(place, int(gone.argmax())))
    given = np.array([(rated.timestamp, rated.rating)], MOVIE_LOG)
    transaction.replace_log("movie", rated.movie_id, np.concatenate([ratings, given]).tobytes())
    return _rated(rated.user_id, rated.movie_id, log[gone])


def _rated(user_id: str, movie_id: str, rows: NDArray) -> list[Rated]:
    return [Rated(user_id, movie_id, float(row["rating"]), int(row["timestamp"])) for row in rows]


def _without(ratings: NDArray, rows: NDArray) -> NDArray:
    """A movie's log less one rating for each of these rows of a user's log."""
    for row in rows:
        same = (ratings["timestamp"] == row["timestamp"]) & (ratings["rating"] == row["rating"])
        ratings = np.delete(ratings, np.flatnonzero(same)[:1])
    return ratings


def _user_row(
    transaction: Transaction, catalogue: StoreCatalogue, rated: Rated, movie: MovieState
) -> NDArray:
    """The rating as a row `(1,)` of its user's log."""
    sums = movie.before(rated.timestamp)
    if sums is None:
        return _row_after(read_log(transaction.log("movie", rated.movie_id), MOVIE_LOG), catalogue, rated)
    return _row(sums, catalogue, rated)


def _row_after(ratings: NDArray, catalogue: StoreCatalogue, rated: Rated) -> NDArray:
    """The same for a movie with this log."""
    earlier = ratings["rating"][ratings["timestamp"] < rated.timestamp]
    return _row(RatingSums.of(earlier, np.zeros(len(earlier))), catalogue, rated)


def _row(earlier: RatingSums, catalogue: StoreCatalogue, rated: Rated) -> NDArray:
    deviation = deviation_of_next(earlier.number, earlier.total, rated.rating, catalogue.rating_middle)
    place = catalogue.places[rated.movie_id]
    return np.array([(place, rated.rating, rated.timestamp, deviation)], USER_LOG)


def _replace_user_log(
    transaction: Transaction,
    catalogue: StoreCatalogue,
    user_id: str,
    logs: tuple[NDArray, NDArray],
    start: int,
) -> None:
    """Put the second log in the place of the first, which it equals up to `start`, with all that follows."""
    old, new = logs
    changes: dict[tuple[int, int], RatingSums] = defaultdict(RatingSums)
    for log, sign in ((old, -1), (new, 1)):
        said = movie_deviations(log, catalogue.rating_middle)
        for row, deviation in zip(log[start:].tolist(), said[start:].tolist(), strict=True):
            movie, rating, second, _ = row
            sums = RatingSums(sign, sign * rating, sign * rating**2, sign * deviation)
            changes[movie, second] = changes[movie, second].plus(sums)
    _change_movies(transaction, catalogue, user_id, changes)
    transaction.put_state("user", user_id, UserState.of(new, catalogue).to_bytes())
    transaction.replace_log("user", user_id, new.tobytes())


def _change_movies(
    transaction: Transaction,
    catalogue: StoreCatalogue,
    user_id: str,
    changes: dict[tuple[int, int], RatingSums],
) -> None:
    changes = {where: sums for where, sums in changes.items() if sums != NOTHING}
    movie_ids = list({catalogue.movie_ids[movie] for movie, _ in changes})
    found = transaction.read(user_id, movie_ids).movies
    states = {key: MovieState.from_bytes(state) for key, state in zip(movie_ids, found, strict=True)}
    for (movie, second), sums in sorted(changes.items()):
        movie_id = catalogue.movie_ids[movie]
        states[movie_id] = states[movie_id].plus(second, sums)
    for movie_id, state in states.items():
        transaction.put_state("movie", movie_id, state.to_bytes())
