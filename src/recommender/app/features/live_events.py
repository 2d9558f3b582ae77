"""What happened since the data was prepared: kept beside all versions, so that a push loses none of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import orjson

from recommender.app.features.backend import Transaction
from recommender.app.features.rating_changes import Rated, add, remove
from recommender.app.features.store_catalogue import StoreCatalogue
from recommender.app.features.user_profile import UserProfile, profile_of
from recommender.data.prepared import Prepared

Subject = tuple[Any, ...]


def rating_added(rated: Rated) -> bytes:
    """The event of a new rating."""
    return orjson.dumps(["add", rated.user_id, rated.movie_id, rated.timestamp, rated.rating])


def rating_removed(rated: Rated) -> bytes:
    """The event of a rating taken back."""
    return orjson.dumps(["remove", rated.user_id, rated.movie_id, rated.timestamp])


def user_described(user_id: str, profile: UserProfile) -> bytes:
    """The event of what a user has told of themselves."""
    return orjson.dumps(["describe", user_id, replace(profile, index=0).known()])


def apply_event(transaction: Transaction, catalogue: StoreCatalogue, event: bytes) -> None:
    """Do again what an event tells of; a rating of a movie that the catalogue lacks changes nothing."""
    kind, user_id, *rest = orjson.loads(event)
    if kind == "describe":
        describe(transaction, user_id, UserProfile(**rest[0]))
    elif kind == "remove":
        remove(transaction, catalogue, user_id, *rest)
    elif rest[0] in catalogue.places:
        movie_id, timestamp, rating = rest
        add(transaction, catalogue, Rated(user_id, movie_id, rating, timestamp))


def describe(transaction: Transaction, user_id: str, given: UserProfile) -> None:
    """Set what a user has told, and keep the user's index."""
    known = UserProfile.from_bytes(transaction.read(user_id, []).profile)
    transaction.put_profile(user_id, replace(given, index=known.index).to_bytes())


def not_in_data(events: Iterable[bytes], prepared: Prepared) -> list[bytes]:
    """The events that prepared data does not hold yet, in their order.

    A new rating is held where the data has one of that user, movie and second; a rating taken back where it
    has none; a description where the data says the same. What was given and taken back again is as if never
    given, and of descriptions the last one counts.
    """
    read = [(event, orjson.loads(event)) for event in events]
    last = {_subject(content): place for place, (_, content) in enumerate(read) if content[0] != "add"}
    user_ids = {content[1] for _, content in read}
    ratings, profiles = _ratings(prepared, user_ids), _profiles(prepared, user_ids)
    kept = []
    for place, (event, content) in enumerate(read):
        subject = _subject(content)
        if content[0] == "describe":
            keep = last[subject] == place and profiles.get(content[1]) != UserProfile(**content[2])
        elif content[0] == "remove":
            keep = last[subject] == place and ratings.pop(subject, 0) > 0
        elif keep := last.get(subject, -1) < place:
            ratings[subject] -= 1
            keep = ratings[subject] < 0
        if keep:
            kept.append(event)
    return kept


def _subject(content: list[Any]) -> Subject:
    """What an event is about: a user, or all ratings that a user gave a movie in one second."""
    return (content[1],) if content[0] == "describe" else tuple(content[1:4])


def _ratings(prepared: Prepared, user_ids: set[str]) -> Counter[Subject]:
    """How often the data has each rating of these users."""
    users, movies = prepared.users["user_id"], prepared.movies["movie_id"]
    interactions = prepared.interactions
    rows = interactions.where(np.isin(interactions.user, np.flatnonzero(users.isin(user_ids))))
    return Counter(zip(users.iloc[rows.user], movies.iloc[rows.movie], rows.timestamp.tolist(), strict=True))


def _profiles(prepared: Prepared, user_ids: set[str]) -> dict[str, UserProfile]:
    """What the data says of these users, without their index."""
    users = prepared.users[prepared.users["user_id"].isin(user_ids)]
    return {str(user.user_id): profile_of(user, index=0) for user in users.itertuples()}
