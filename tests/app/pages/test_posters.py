"""Posters."""

from __future__ import annotations

import re

import pytest

from recommender.app.answers import Movie
from recommender.app.pages.motifs import MOTIFS, Motif
from recommender.app.pages.posters import GENRES, poster


def movie(title: str, *genres: str) -> Movie:
    return Movie(movie_id="1", title=title, year=None, genres=list(genres))


def test_a_movie_has_the_same_poster_in_every_process() -> None:
    assert poster(movie("Heat", "Opera")).ground == "hsl(99 38% 24%)"


def test_titles_move_the_motif_of_a_genre_about() -> None:
    heat, ronin = poster(movie("Heat", "Crime")), poster(movie("Ronin", "Crime"))
    assert len(heat.shapes) == len(ronin.shapes)
    assert heat.shapes != ronin.shapes


def test_the_most_telling_genre_paints_the_poster() -> None:
    assert poster(movie("Alien", "Action", "Horror", "Thriller")) == poster(movie("Alien", "Horror"))
    assert poster(movie("Alien", "Action")) != poster(movie("Alien", "Horror"))


def test_unknown_genres_and_none_have_posters_of_their_own() -> None:
    grounds = {poster(movie("Heat", name)).ground for name in ("Opera", "Ballet", "Cooking")}
    assert len(grounds | {poster(movie("Heat")).ground}) == 4


@pytest.mark.parametrize("motif", MOTIFS, ids=lambda motif: motif.__name__)
def test_motifs_draw_something_for_all_numbers(motif: Motif) -> None:
    for numbers in ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.5, 0.2, 0.9)):
        shapes = list(motif(numbers))
        assert 2 <= len(shapes) <= 20
        for shape in shapes:
            assert not any("nan" in value for value in shape.attributes.values())
            assert 0 < shape.opacity <= 1


def test_the_ground_is_dark_enough_for_white_initials() -> None:
    """3:1 is what WCAG asks of large text; the shade over the lower end comes on top of it."""
    for genre in GENRES:
        hue, saturation, lightness = re.findall(r"\d+", poster(movie("Heat", genre)).ground)
        assert 1.05 / (_luminance(int(hue), int(saturation), int(lightness)) + 0.05) > 3


def _luminance(hue: int, saturation: int, lightness: int) -> float:
    """Relative luminance as WCAG 2 defines it."""
    import colorsys

    channels = colorsys.hls_to_rgb(hue / 360, lightness / 100, saturation / 100)
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
