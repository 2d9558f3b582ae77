"""Finding movies by title, as typed and misspelt."""

from __future__ import annotations

import csv
import random
import re
import string
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from recommender.app.search import TitleIndex
from recommender.app.search.folded_title import fold, names, split_year

# Titles as MovieLens writes them, with made-up numbers of ratings.
TITLES = {
    "Matrix, The (1999)": 278,
    "Matrix Reloaded, The (2003)": 96,
    "Animatrix, The (2003)": 12,
    "Star Wars: Episode IV - A New Hope (1977)": 251,
    "Star Wars: Episode V - The Empire Strikes Back (1980)": 211,
    "Shawshank Redemption, The (1994)": 317,
    "Toy Story (1995)": 215,
    "Toy Story 2 (1999)": 97,
    "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)": 120,
    "City of Lost Children, The (Cité des enfants perdus, La) (1995)": 34,
    "Seven (a.k.a. Se7en) (1995)": 203,
    "Schindler's List (1993)": 220,
    "Lord of the Rings: The Two Towers, The (2002)": 188,
    "Spider-Man (2002)": 122,
    "1984 (Nineteen Eighty-Four) (1984)": 7,
    "Blade Runner (1982)": 124,
    "Blade Runner 2049 (2017)": 18,
    "Hamlet (1996)": 20,
    "Hamlet (1990)": 30,
    "Hamlet (2000)": 10,
    "Léon: The Professional (a.k.a. The Professional) (Léon) (1994)": 133,
    "Back to the Future (1985)": 171,
    "Andrei Rublev (Andrey Rublyov) (1969)": 3,
    "Crouching Tiger, Hidden Dragon (Wo hu cang long) (2000)": 110,
    "Fast & Furious (2009)": 15,
    "<script>alert(1)</script> (2020)": 1,
    "羅生門 (1950)": 2,
    "(500) Days of Summer (2009)": 42,
}


def index_of(titles: dict[str, int]) -> tuple[TitleIndex, list[str]]:
    listed = list(titles)
    years = np.array([split_year(title)[1] or np.nan for title in listed])
    return TitleIndex(listed, years, np.array(list(titles.values()))), listed


@pytest.fixture(scope="module")
def search():
    index, titles = index_of(TITLES)
    return lambda query, n=10: [titles[place] for place in index.search(query, n)]


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("matrix", "Matrix, The (1999)"),
        ("the matrix", "Matrix, The (1999)"),
        ("Matrix, The", "Matrix, The (1999)"),
        ("Matrix, The (1999)", "Matrix, The (1999)"),
        ("MATR", "Matrix, The (1999)"),
        ("new hope", "Star Wars: Episode IV - A New Hope (1977)"),
        ("500 days", "(500) Days of Summer (2009)"),
        ("amelie", "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)"),
        ("AMÉLIE POULAIN", "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)"),
        ("le fabuleux destin", "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)"),
        ("cite des enfants", "City of Lost Children, The (Cité des enfants perdus, La) (1995)"),
        ("se7en", "Seven (a.k.a. Se7en) (1995)"),
        ("schindlers list", "Schindler's List (1993)"),
        ("schindler’s list", "Schindler's List (1993)"),
        ("future back", "Back to the Future (1985)"),
        ("1984", "1984 (Nineteen Eighty-Four) (1984)"),
        ("blade runner 2049", "Blade Runner 2049 (2017)"),
        ("leon", "Léon: The Professional (a.k.a. The Professional) (Léon) (1994)"),
        ("the professional", "Léon: The Professional (a.k.a. The Professional) (Léon) (1994)"),
        ("fast and furious", "Fast & Furious (2009)"),
        ("spider man", "Spider-Man (2002)"),
        ("<script>", "<script>alert(1)</script> (2020)"),
        ("羅生", "羅生門 (1950)"),
    ],
)
def test_what_is_typed_is_found_without_case_accents_articles_and_punctuation(search, query, title) -> None:
    assert search(query)[0] == title


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("the matrx", "Matrix, The (1999)"),
        ("star wrs", "Star Wars: Episode IV - A New Hope (1977)"),
        ("starwars", "Star Wars: Episode IV - A New Hope (1977)"),
        ("spiderman", "Spider-Man (2002)"),
        ("shawshank redemtion", "Shawshank Redemption, The (1994)"),
        ("shawhsank", "Shawshank Redemption, The (1994)"),
        ("schindlars list", "Schindler's List (1993)"),
        ("lord of the rngs", "Lord of the Rings: The Two Towers, The (2002)"),
        ("crouching tigre", "Crouching Tiger, Hidden Dragon (Wo hu cang long) (2000)"),
        ("andrey rublov", "Andrei Rublev (Andrey Rublyov) (1969)"),
        ("toy stroy 1995", "Toy Story (1995)"),
        ("haamlet", "Hamlet (1990)"),
        ("b ladee runnner", "Blade Runner (1982)"),
    ],
)
def test_misspelt_titles_are_found(search, query: str, title: str) -> None:
    assert search(query)[0] == title


def test_of_equal_names_the_more_popular_comes_first_unless_the_year_says_otherwise(search) -> None:
    assert search("hamlet") == ["Hamlet (1990)", "Hamlet (1996)", "Hamlet (2000)"]
    assert search("hamlet 1996")[0] == "Hamlet (1996)"
    assert search("hamlet (2000)")[0] == "Hamlet (2000)"
    assert search("hamlet 1923") == search("hamlet")  # nobody remembers years


def test_the_whole_name_comes_before_its_beginning_and_that_before_words(search) -> None:
    assert search("matrix") == ["Matrix, The (1999)", "Matrix Reloaded, The (2003)"]
    assert search("toy story") == ["Toy Story (1995)", "Toy Story 2 (1999)"]
    assert search("runner") == ["Blade Runner (1982)", "Blade Runner 2049 (2017)"]


@pytest.mark.parametrize("query", ["", "   ", "???", "…", "\0", "zzzzqqqq", "x" * 200, "()", "\ud800"])
def test_nonsense_finds_nothing(search, query: str) -> None:
    assert search(query) == []


def test_no_more_than_asked_for_and_the_first_ones(search) -> None:
    assert search("s", 2) == search("s", 100)[:2]
    assert len(search("s", 100)) == len(set(search("s", 100)))


def test_titles_fold_to_names_with_the_article_in_front() -> None:
    assert names("City of Lost Children, The (Cité des enfants perdus, La) (1995)") == [
        "the city of lost children",
        "la cite des enfants perdus",
    ]
    assert names("Seven (a.k.a. Se7en) (1995)") == ["seven", "se7en"]
    assert names("Crouching Tiger, Hidden Dragon (2000)") == ["crouching tiger hidden dragon"]
    assert names("(500) Days of Summer (2009)")[0] == "days of summer"
    assert split_year("Toy Story (1995)") == ("Toy Story", 1995)
    assert split_year("1984") == ("1984", None)
    assert fold("  L'Été:  NAÏVE—Straße ") == "lete naive strasse"


def test_a_catalogue_without_titles_finds_nothing() -> None:
    index, _ = index_of({})
    assert index.search("matrix", 10) == []


def test_every_title_finds_itself() -> None:
    index, titles = index_of(TITLES)
    for place, title in enumerate(titles):
        assert index.search(title, 3)[0] == place


@pytest.mark.movielens
def test_most_titles_of_movielens_are_found_with_one_wrong_letter(movielens_home: Path) -> None:
    folder = movielens_home / "ml-latest-small"
    with (folder / "movies.csv").open(encoding="utf-8") as movies, (folder / "ratings.csv").open() as ratings:
        counts = Counter(row["movieId"] for row in csv.DictReader(ratings))
        titles = {row["title"]: counts[row["movieId"]] for row in csv.DictReader(movies)}
    index, listed = index_of(titles)
    chance = random.Random(1)
    tried = chance.sample([title for title in listed if re.search(r"[a-z]{6}", title)], 150)
    found = sum(listed.index(title) in index.search(misspelt(title, chance), 5) for title in tried)
    assert found / len(tried) >= 0.9


def misspelt(title: str, chance: random.Random) -> str:
    """The title without its year, one letter of a word of at least six replaced."""
    text = split_year(title)[0]
    word = chance.choice(re.findall(r"[a-z]{6,}", text))
    place = text.index(word) + chance.randrange(1, len(word) - 1)
    return text[:place] + chance.choice(string.ascii_lowercase) + text[place + 1 :]
