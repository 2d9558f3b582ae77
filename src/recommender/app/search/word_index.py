"""Which movies have which words in their names, and which words a misspelt one may stand for."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

AFTER_ALL = "\U0010ffff"  # sorts behind every continuation of a prefix
Movies = NDArray[np.int32]


class WordIndex:
    """Words in alphabetical order, each with its movies."""

    def __init__(self, names: Iterable[tuple[str, int]]) -> None:
        """From pairs of a folded name and its movie."""
        movies_of: defaultdict[str, set[int]] = defaultdict(set)
        for name, movie in names:
            for word in name.split():
                movies_of[word].add(movie)
        self.words = sorted(movies_of)
        self._of_length: defaultdict[int, list[str]] = defaultdict(list)
        for word in self.words:
            self._of_length[len(word)].append(word)
        self._starts = np.cumsum([0, *(len(movies_of[word]) for word in self.words)])
        self._movies = np.array([movie for word in self.words for movie in movies_of[word]], np.int32)

    def with_all(self, words: list[str]) -> Movies:
        """Movies that have, for every word, one that begins with it; in no order."""
        found: Movies | None = None
        for word in words:
            movies = self._beginning_with(word)
            found = np.unique(movies) if found is None else np.intersect1d(found, movies)
        return np.empty(0, np.int32) if found is None else found

    def closeness(self, words: list[str], num_movies: int) -> NDArray[np.float64]:
        """How much of the words each movie's names have, `(num_movies,)` from 0 to 1.

        A word counts by its length; a misspelt one by the share of its letters that are right; the beginning
        of one almost as the whole.
        """
        total = np.zeros(num_movies)
        for word in words:
            best = np.zeros(num_movies)
            best[self._beginning_with(word)] = 0.95
            for place, similarity in self._alike(word):
                movies = self._of(place)
                best[movies] = np.maximum(best[movies], similarity)
            total += len(word) * best
        return total / max(1, sum(map(len, words)))

    def parted(self, words: list[str]) -> list[str]:
        """The words, with those that nothing has but that are two in one taken apart: `starwars`."""
        return [part for word in words for part in self._parts(word)]

    def _parts(self, word: str) -> list[str]:
        if not len(self._beginning_with(word)):
            for place in range(2, len(word) - 1):
                if self._has(word[:place]) and self._has(word[place:]):
                    return [word[:place], word[place:]]
        return [word]

    def _alike(self, word: str) -> list[tuple[int, float]]:
        """Places of the words within a few typing errors: none below 3 letters, then 1, from 8 on 2."""
        errors = 0 if len(word) < 3 else 1 if len(word) < 8 else 2
        lengths = range(len(word) - errors, len(word) + errors + 1)
        candidates = [other for length in lengths for other in self._of_length.get(length, ())]
        found = process.extract(word, candidates, scorer=OSA.distance, score_cutoff=errors, limit=50)
        return [(bisect_left(self.words, other), 1 - distance / len(word)) for other, distance, _ in found]

    def _has(self, word: str) -> bool:
        place = bisect_left(self.words, word)
        return place < len(self.words) and self.words[place] == word

    def _of(self, place: int) -> Movies:
        return self._movies[self._starts[place] : self._starts[place + 1]]

    def _beginning_with(self, prefix: str) -> Movies:
        low, high = bisect_left(self.words, prefix), bisect_left(self.words, prefix + AFTER_ALL)
        return self._movies[self._starts[low] : self._starts[high]]
