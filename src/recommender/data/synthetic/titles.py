"""Invented movie titles."""

from __future__ import annotations

from importlib import resources

import numpy as np
import yaml
from numpy.typing import NDArray

WORDS: dict[str, list[str]] = yaml.safe_load((resources.files(__package__) / "words.yaml").read_text("utf-8"))
NUMERALS = ("", " II", " III", " IV")

# How the words are put together; an article stands last, as in MovieLens.
PATTERNS = (
    "{adjective} {noun}{part}, The",
    "{adjective} {noun}{part}",
    "{noun} of the {other}{part}, The",
    "{noun} and {other}{part}",
)
DUPLICATES = 3  # pairs of movies that share title and year, as MovieLens has a few


def invent_titles(
    rng: np.random.Generator, years: NDArray[np.int64], series: NDArray[np.int64], parts: NDArray[np.int64]
) -> list[str]:
    """One title per movie, with its year; parts of a series share a name: "Silent Harbor II (1996)".

    `years`, `series` (the same number for all parts of one) and `parts` (0 for the first) have shape
    `(num_movies,)`. All titles differ, but for `DUPLICATES` pairs where there are enough movies.
    """
    names = _names(rng, int(series.max()) + 1)
    titles = [
        f"{names[group].format(part=NUMERALS[part])} ({year})"
        for group, part, year in zip(series, parts, years, strict=True)
    ]
    alone = np.flatnonzero(np.bincount(series, minlength=len(names))[series] == 1)
    by_year = alone[np.argsort(years[alone], kind="stable")]
    same_year = np.flatnonzero(np.diff(years[by_year]) == 0)[::2]  # every other one: pairs do not overlap
    if len(same_year) >= 10 * DUPLICATES:
        for place in rng.choice(same_year, DUPLICATES, replace=False):
            titles[by_year[place + 1]] = titles[by_year[place]]
    return titles


def _names(rng: np.random.Generator, count: int) -> list[str]:
    """`count` different names with a place for `{part}`; after the last combination they are numbered."""
    adjectives, nouns = WORDS["adjectives"], WORDS["nouns"]
    size = len(PATTERNS) * len(adjectives) * len(nouns)
    numbers = np.concatenate([rng.permutation(size) for _ in range(-(-count // size))])[:count]
    names = []
    for place, combination in enumerate(numbers.tolist()):
        pattern, rest = combination % len(PATTERNS), combination // len(PATTERNS)
        word, noun = divmod(rest, len(nouns))
        # The second noun differs from the first, and by another step for each adjective that is not used.
        other = (noun + 1 + word) % len(nouns)
        number = f" No. {place // size + 1}" if place >= size else ""
        part = number + "{part}"
        words = {"adjective": adjectives[word], "noun": nouns[noun], "other": nouns[other]}
        names.append(PATTERNS[pattern].format(**words, part=part))
    return names
