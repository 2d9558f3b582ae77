"""Searching titles: as typed first, by popularity; typing errors are forgiven where nothing is as typed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from recommender.app.search.folded_title import ARTICLES, as_said, names, split_year, without_article
from recommender.app.search.word_index import AFTER_ALL, Movies, WordIndex

CLOSE_ENOUGH = 0.7  # of 1; `redemtion` for `redemption` has 0.9
Reading = tuple[str, int | None]  # a folded query and the year that it asks for


class TitleIndex:
    """All titles of a catalogue, made once and then only read: safe to use from several threads.

    `years` `(num_movies,)`, NaN = missing; of movies that match equally well the one with the higher
    `popularity` `(num_movies,)` comes first.
    """

    def __init__(self, titles: Sequence[str], years: NDArray, popularity: NDArray) -> None:
        self._years = np.asarray(years)
        self._popularity = np.asarray(popularity)
        named = [(name, movie) for movie, title in enumerate(titles) for name in names(title)]
        keys = {(form, movie) for name, movie in named for form in (name, without_article(name))}
        ordered = sorted(keys)
        self._keys = [key for key, _ in ordered]
        self._movies = np.array([movie for _, movie in ordered], np.int32)
        self._words = WordIndex(named)

    def search(self, query: str, n: int) -> list[int]:
        """Places of up to `n` movies in the titles, best first; none for a query without a letter or digit.

        The whole name comes before its beginning, that before names with all the words. A year at the end
        of the query chooses among movies of the same name.
        """
        readings = _readings(query)
        found = self._best_as_typed(readings, n)
        if not found:
            parted = [(" ".join(self._words.parted(text.split())), year) for text, year in readings]
            found = self._best_as_typed(parted, n) if parted != readings else []
        return found or self._misspelt(readings, n)

    def _best_as_typed(self, readings: list[Reading], n: int) -> list[int]:
        found: dict[int, None] = {}
        for movies in self._as_typed(readings):
            found.update(dict.fromkeys(self._popular_first(movies, n)))
            if len(found) >= n:
                break
        return list(found)[:n]

    def _as_typed(self, readings: list[Reading]) -> Iterator[Movies]:
        """Groups of movies, those of a better kind of match first."""
        for text, year in readings:
            yield self._of_year(self._between(text, text + "\0"), year)
        for text, year in readings:
            yield self._of_year(self._between(text, text + AFTER_ALL), year)
        for text, year in readings:
            yield self._of_year(self._words.with_all(text.split()), year)

    def _misspelt(self, readings: list[Reading], n: int) -> list[int]:
        """Movies whose names are close to a reading of the query: word by word, or else as a whole."""
        for closeness_to in (self._by_words, self._as_whole):
            closeness = np.zeros(len(self._years))
            for text, year in readings:
                closeness = np.maximum(closeness, closeness_to(text) + 0.1 * (self._years == year))
            close = np.flatnonzero(closeness >= CLOSE_ENOUGH)
            if len(close):
                break
        steps = np.round(closeness[close], 1)  # differences below a tenth say less than popularity
        return close[np.lexsort((close, -self._popularity[close], -steps))][:n].tolist()

    def _by_words(self, text: str) -> NDArray[np.float64]:
        words = [word for word in text.split() if word not in ARTICLES] or text.split()
        return self._words.closeness(words, len(self._years))

    def _as_whole(self, text: str) -> NDArray[np.float64]:
        closeness = np.zeros(len(self._years))
        shares = process.cdist([text], self._keys, scorer=fuzz.ratio, score_cutoff=100 * CLOSE_ENOUGH)[0]
        np.maximum.at(closeness, self._movies, shares / 100)
        return closeness

    def _between(self, first: str, last: str) -> Movies:
        return self._movies[bisect_left(self._keys, first) : bisect_left(self._keys, last)]

    def _of_year(self, movies: Movies, year: int | None) -> Movies:
        return movies if year is None else movies[self._years[movies] == year]

    def _popular_first(self, movies: Movies, n: int) -> list[int]:
        distinct = np.unique(movies)
        if len(distinct) > n:
            # Keeps every movie as popular as the last one that is wanted: the order below decides.
            least = -np.partition(-self._popularity[distinct], n - 1)[n - 1]
            distinct = distinct[self._popularity[distinct] >= least]
        return distinct[np.lexsort((distinct, -self._popularity[distinct]))][:n].tolist()


def _readings(query: str) -> list[Reading]:
    """What a query may mean: `toy story 1995` is a name, or that of a movie of 1995, or of any year."""
    text, year = split_year(query)
    readings = [(as_said(query), None), (as_said(text), year), (as_said(text), None)]
    return [reading for reading in dict.fromkeys(readings) if reading[0]]
