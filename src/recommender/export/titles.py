"""Finding a movie by its title, in the graph: case, accents and punctuation do not count."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recommender.export.lookups import Lookup

# Letters that Unicode does not take apart into a base letter and an accent.
LIGATURES = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i"}


def normalise_titles(titles: tf.Tensor) -> tf.Tensor:
    """What is left of titles for matching: lower-case letters and digits, without accents; `&` is `and`.

    String tensor of any shape, UTF-8; bytes that are none are dropped. "Devil's Advocate, The (1997)" and
    "DEVILS ADVOCATE THE 1997" are the same; an article is not moved and a year not added.
    """
    titles = tf.strings.unicode_transcode(titles, "UTF-8", "UTF-8", errors="ignore")
    titles = tf.strings.lower(titles, encoding="utf-8")
    for letters, plain in _foldings():
        titles = tf.strings.regex_replace(titles, letters, plain)
    titles = tf.strings.regex_replace(titles, "&", "and")
    return tf.strings.regex_replace(titles, r"[^\p{L}\p{N}]+", "")


def title_lookup(titles: Iterable[str], num_ratings: NDArray[np.integer]) -> Lookup:
    """Normalised title -> model index. Of movies with the same title, the one with most ratings is meant.

    `titles` and `num_ratings` `(num_movies,)` are in the order of codes; of equally many ratings the lower
    code wins. A title of punctuation alone cannot be found.
    """
    normalised = normalise_titles(tf.constant(list(titles), tf.string)).numpy()
    index_of: dict[bytes, int] = {}
    for code in np.argsort(-np.asarray(num_ratings, np.int64), kind="stable"):
        if normalised[code]:
            index_of.setdefault(normalised[code], int(code) + 1)
    return Lookup(index_of, index_of.values())


def _foldings() -> list[tuple[str, str]]:
    """(regular expression, replacement) that turn letters with accents into those without, lower case."""
    accented: dict[str, list[str]] = {}
    for letter in map(chr, range(0xC0, 0x250)):
        base = unicodedata.normalize("NFD", letter)[0]
        if base != letter and base.isascii() and letter == letter.lower():
            accented.setdefault(base, []).append(letter)
    classes = [(f"[{''.join(letters)}]", base) for base, letters in sorted(accented.items())]
    return [*classes, *LIGATURES.items()]
