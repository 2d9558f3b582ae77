"""Titles and initials as the pages show them."""

from __future__ import annotations

import pytest

from recommender.app.answers import Movie
from recommender.app.pages.titles import initials, shown_title


@pytest.mark.parametrize(
    ("title", "year", "shown"),
    [
        ("Toy Story (1995)", 1995, "Toy Story"),
        ("Usual Suspects, The (1995)", 1995, "The Usual Suspects"),
        ("Hate (Haine, La) (1995)", 1995, "Hate (Haine, La)"),
        ("Good, The Bad and The Ugly, The (1966)", 1966, "The Good, The Bad and The Ugly"),
        ("Avventura, L' (1960)", 1960, "L'Avventura"),
        ("Toy Story (1995)", None, "Toy Story (1995)"),
        ("Blade Runner (1982)", 1983, "Blade Runner (1982)"),
        ("1900", 1900, "1900"),
        ("(1995)", 1995, "(1995)"),
        ("", None, "7"),
    ],
)
def test_the_year_is_left_out_and_the_article_stands_in_front(
    title: str, year: int | None, shown: str
) -> None:
    assert shown_title(Movie(movie_id="7", title=title, year=year, genres=[])) == shown


@pytest.mark.parametrize(
    ("title", "expected"),
    [("The Usual Suspects", "US"), ("Fargo", "F"), ("12 Monkeys", "1M"), ("émile zola", "ÉZ"), ("...", "")],
)
def test_initials_are_of_the_first_two_words_without_the_article(title: str, expected: str) -> None:
    assert initials(title) == expected
