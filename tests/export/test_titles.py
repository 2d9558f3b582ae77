from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from recommender.config import load_settings
from recommender.export.titles import normalise_titles, title_lookup


def normalise(*titles: str | bytes) -> list[str]:
    return [title.decode() for title in normalise_titles(tf.constant(list(titles))).numpy()]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Devils Advocate, The (1997)", "Devil's Advocate, The (1997)"),
        ("TOY STORY (1995)", "Toy Story (1995)"),
        ("toy  story 1995", "Toy Story (1995)"),
        ("Spider Man (2002)", "Spider-Man (2002)"),
        ("Miserables, Les (1995)", "Misérables, Les (1995)"),
        ("MISÉRABLES, LES (1995)", "Misérables, Les (1995)"),
        ("Mise\u0301rables, Les (1995)", "Misérables, Les (1995)"),
        ("Romeo and Juliet (1968)", "Romeo & Juliet (1968)"),
        ("Caché (2005)", "Cache (2005)"),
        ("A koldum klaka (Cold Fever) (1994)", "Á köldum klaka (Cold Fever) (1994)"),
        ("Haevnen (2010)", "Hævnen (2010)"),
        ("Бригада", "БРИГАДА"),
    ],
)
def test_case_accents_and_punctuation_do_not_count(written: str, meant: str) -> None:
    assert normalise(written) == normalise(meant)


def test_other_words_numbers_and_years_do_count() -> None:
    titles = ["Heat (1995)", "Heat (1986)", "Heats (1995)", "Heat", "The Heat (1995)", "七人の侍", "羅生門"]
    assert len(set(normalise(*titles))) == len(titles)


def test_bytes_that_are_no_utf_8_are_dropped() -> None:
    assert normalise(b"Caf\xe9 au Lait") == ["cafaulait"]
    assert normalise(b"\xff\xfe", b"", b"?!") == ["", "", ""]


def test_of_equal_titles_the_one_with_most_ratings_is_meant() -> None:
    titles = ["Scream (1996)", "SCREAM (1996)", "Other (1990)", "Scream 1996"]
    assert title_lookup(titles, np.array([3, 8, 9, 7]))(normalise_titles(tf.constant("scream 1996"))) == 2


def test_of_equally_rated_equal_titles_the_lower_code_is_meant() -> None:
    lookup = title_lookup(["Other", "Scream", "Scream"], np.array([1, 5, 5]))
    assert lookup(normalise_titles(tf.constant("Scream"))) == 2


def test_titles_that_nobody_has_and_titles_of_punctuation_are_unknown() -> None:
    lookup = title_lookup(["...", "Heat (1995)"], np.array([5, 1]))
    assert lookup(normalise_titles(tf.constant(["...", "", "Heath (1995)"]))).numpy().tolist() == [0, 0, 0]


@pytest.mark.movielens
def test_the_tutorials_title_is_found_in_the_real_data(movielens_home, tmp_path) -> None:
    from recommender.data.tables import load_tables

    settings = load_settings(overrides=["data.dataset=ml-100k", f"data.home={tmp_path}"], environ={})
    tables = load_tables(settings)
    movies, ratings = tables.read("movies"), tables.read("ratings")
    counts = movies["movie_id"].map(ratings["movie_id"].value_counts()).fillna(0).astype(int)
    lookup = title_lookup(movies["title"], counts.to_numpy())

    def find(title: str) -> int:
        return int(lookup(normalise_titles(tf.constant(title)))) - 1

    found = find("Devils Advocate, The (1997)")
    same = movies["title"] == "Devil's Advocate, The (1997)"
    assert same[found]
    assert counts[found] == counts[same].max()
    named = movies["title"].str.lower().map(find)
    assert (movies["title"].to_numpy()[named] == movies["title"]).all()
