"""Titles as people read them: "Usual Suspects, The (1995)" is "The Usual Suspects"."""

from __future__ import annotations

import re

from recommender.app.answers import Movie

ARTICLES = "The|A|An|Le|La|Les|L'|Der|Die|Das|Il|El|Los|Las|Un|Une"
MOVED_ARTICLE = re.compile(rf"^(?P<name>.+), (?P<article>{ARTICLES})(?P<rest>( \(.*\))?)$")
LEADING_ARTICLE = re.compile(rf"^({ARTICLES}) ")
WORDS = re.compile(r"[^\W_]+")


def shown_title(movie: Movie) -> str:
    """The title without its year, where that is known, and with its article in front; never empty."""
    title = movie.title.strip()
    if movie.year is not None:
        title = title.removesuffix(f"({movie.year})").rstrip()
    moved = MOVED_ARTICLE.match(title)
    if moved:
        space = "" if moved["article"].endswith("'") else " "
        title = f"{moved['article']}{space}{moved['name']}{moved['rest']}"
    return title or movie.title or movie.movie_id


def initials(title: str) -> str:
    """One or two capitals of a shown title, without its article: "The Usual Suspects" has US."""
    words = WORDS.findall(LEADING_ARTICLE.sub("", title)) or WORDS.findall(title)
    return "".join(word[0].upper() for word in words[:2])
