"""Counting impressions and clicks by experiment and variant while they come in."""

from __future__ import annotations

import itertools
import sys
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from recommender.app.events.records import Acted, Record, Shown

# Lists that impressions and clicks may still refer to: about half a kilobyte each.
REMEMBERED = 100_000
# Of these, those that they may refer to after a restart: to save more would hold up who is counting.
SAVED = 10_000
# What is kept of actions on lists that are not known yet; anybody can send any number of them.
EARLY = 100 * SAVED  # characters


@dataclass
class Counts:
    """Of one variant: lists that were asked for, movies of them that came into view, those clicked."""

    requests: int = 0
    impressions: int = 0
    clicks: int = 0


@dataclass(slots=True)
class RememberedList:
    """Whose it is, which experiments it counts for, its movies, and which of them were seen and clicked.

    `seen` and `clicked` have a bit for each place.
    """

    user_id: str
    counts: tuple[Counts, ...]
    movie_ids: tuple[str, ...]
    seen: int = 0
    clicked: int = 0


class Traffic:
    """Counts of all records that it is told of; safe to use from several threads.

    A movie of a list is seen and clicked at most once, however often that is reported, and what is clicked
    was seen. What refers to a list of somebody else, to a movie that is not in the list or to a list that is
    long forgotten does not count. What refers to a list that is not known yet counts when it is: it may be
    another process's, whose file is read later.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._lock = threading.Lock()
        self._counts: defaultdict[tuple[str, str], Counts] = defaultdict(Counts)
        self._lists: dict[str, RememberedList] = {}
        self._early: dict[str, list[Acted]] = {}
        self._early_size = 0  # characters

    def count(self, record: Record) -> bool:
        """Take a record in; False for an action that does not count."""
        with self._lock:
            return self._shown(record) if isinstance(record, Shown) else self._acted(record)

    def counts(self, experiment: str, variant: str) -> Counts:
        """What there is so far."""
        with self._lock:
            found = self._counts.get((experiment, variant), Counts())
            return Counts(found.requests, found.impressions, found.clicks)

    def saved(self) -> dict[str, Any]:
        """Counts, the latest lists and early actions, as JSON holds them, for `restored`."""
        with self._lock:
            pair_of = {id(counts): pair for pair, counts in self._counts.items()}
            latest = itertools.islice(self._lists.items(), max(0, len(self._lists) - SAVED), None)
            return {
                "counts": [[*pair, *astuple(counts)] for pair, counts in self._counts.items()],
                "lists": [
                    [
                        request_id,
                        one.user_id,
                        [pair_of[id(counts)] for counts in one.counts],
                        one.movie_ids,
                        f"{one.seen:x}",  # numbers of JSON end at 64 bits
                        f"{one.clicked:x}",
                    ]
                    for request_id, one in latest
                ],
                "early": [_saved_action(acted) for early in self._early.values() for acted in early],
            }

    @classmethod
    def restored(cls, saved: Mapping[str, Any]) -> Traffic:
        """The traffic that `saved` was made of; raises what JSON of another form leads to."""
        traffic = cls()
        for experiment, variant, *numbers in saved["counts"]:
            traffic._counts[experiment, variant] = Counts(*map(int, numbers))
        for request_id, user_id, pairs, movie_ids, seen, clicked in saved["lists"]:
            counts = tuple(traffic._counts[experiment, variant] for experiment, variant in pairs)
            movies = tuple(map(sys.intern, movie_ids))
            traffic._lists[request_id] = RememberedList(
                sys.intern(user_id), counts, movies, int(seen, 16), int(clicked, 16)
            )
        for kind, request_id, user_id, movie_ids, time in saved["early"]:
            early = list(map(sys.intern, movie_ids))
            traffic._keep(Acted(kind, sys.intern(request_id), user_id, early, time))
        return traffic

    def _shown(self, shown: Shown) -> bool:
        counts = tuple(self._counts[pair] for pair in shown.assignments.items())
        for count in counts:
            count.requests += 1
        movie_ids = tuple(sys.intern(item[0]) for item in shown.items)  # the same ones over and over
        self._lists[shown.request_id] = RememberedList(sys.intern(shown.user_id), counts, movie_ids)
        if len(self._lists) > self._remembered:
            del self._lists[next(iter(self._lists))]
        for acted in self._early.pop(shown.request_id, []):
            self._early_size -= _size(acted)
            self._acted(acted)
        return True

    def _acted(self, acted: Acted) -> bool:
        known = self._lists.get(acted.request_id)
        if known is None:
            self._keep(acted)
            return False
        if known.user_id != acted.user_id:
            return False
        there = set(acted.movie_ids)
        bits = sum(1 << place for place, movie_id in enumerate(known.movie_ids) if movie_id in there)
        seen = bits & ~known.seen
        clicked = bits & ~known.clicked if acted.kind == "click" else 0
        known.seen |= seen
        known.clicked |= clicked
        for count in known.counts:
            count.impressions += seen.bit_count()
            count.clicks += clicked.bit_count()
        return bits > 0

    def _keep(self, acted: Acted) -> None:
        """Keep an action until its list comes; where there are too many, those of the first list go."""
        self._early.setdefault(acted.request_id, []).append(acted)
        self._early_size += _size(acted)
        while self._early_size > EARLY:
            self._early_size -= sum(map(_size, self._early.pop(next(iter(self._early)))))


def _size(acted: Acted) -> int:
    """Characters of its movies, and a hundred for the rest."""
    return 100 + sum(map(len, acted.movie_ids))


def _saved_action(acted: Acted) -> list[Any]:
    return [acted.kind, acted.request_id, acted.user_id, acted.movie_ids, acted.time]
