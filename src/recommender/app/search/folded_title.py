"""Titles and queries in the form in which they are compared: `Matrix, The (1999)` is `the matrix`."""

from __future__ import annotations

import re
import unicodedata

_ARTICLES = (
    "the a an le la les l un une des der die das ein eine el los las lo il i gli una det de het en o os as"
)
ARTICLES = frozenset(_ARTICLES.split())
_YEAR = re.compile(r"^(.*\S)[\s(]+((?:18|19|20)\d\d)\)?\s*$")
_OTHER_NAME = re.compile(r"\(([^()]*)\)")
_ARTICLE_BEHIND = re.compile(r"^(.*\S),\s*([^\W\d]+'?)$")
_APOSTROPHES = re.compile(r"['’`´]")


def split_year(text: str) -> tuple[str, int | None]:
    """A title and the year at its end, with or without brackets; a year alone is a title."""
    match = _YEAR.match(text)
    return (match[1], int(match[2])) if match else (text.strip(), None)


def names(title: str) -> list[str]:
    """The names of a movie, folded: its own and those in brackets, each with its article in front.

    `City of Lost Children, The (Cité des enfants perdus, La) (1995)` has two.
    """
    text, _ = split_year(title)
    others = _OTHER_NAME.findall(text)
    own = _OTHER_NAME.sub(" ", text)
    folded = [as_said(name) for name in (own, *(_after_aka(name) for name in others))]
    return [name for name in dict.fromkeys(folded) if name] or [fold(title)]


def fold(text: str) -> str:
    """Without case, accents, apostrophes and punctuation, words one space apart."""
    plain = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text).casefold()).replace("&", " and ")
    letters = (letter if letter.isalnum() else " " for letter in plain if not unicodedata.combining(letter))
    return " ".join("".join(letters).split())


def as_said(name: str) -> str:
    """A name folded, with an article that stands behind it in front: `Matrix, The` is `the matrix`."""
    return fold(_article_first(name.strip()))


def without_article(folded: str) -> str:
    """A folded name without the article at its beginning; a name of one word stays."""
    first, _, rest = folded.partition(" ")
    return rest if rest and first in ARTICLES else folded


def _article_first(name: str) -> str:
    match = _ARTICLE_BEHIND.match(name)
    if match and match[2].rstrip("'").casefold() in ARTICLES:
        return f"{match[2]} {match[1]}"
    return name


def _after_aka(name: str) -> str:
    return re.sub(r"^\s*a\.?k\.?a\.?\s+", "", name, flags=re.IGNORECASE)
