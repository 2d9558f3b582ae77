"""Posters drawn from title and genre: the genre chooses colour and motif, the title moves the motif about.

No image is fetched, and the same movie has the same poster everywhere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from recommender.app.answers import Movie
from recommender.app.pages import motifs
from recommender.app.pages.motifs import MOTIFS, Motif, Numbers, Shape
from recommender.app.pages.titles import initials, shown_title

# Genre: hue of the ground, hue of the shapes, motif. What tells most about a movie stands first: of a movie's
# genres, which data sets sort by name, the first one here paints the poster.
GENRES: dict[str, tuple[int, int, Motif]] = {
    "Film-Noir": (225, 48, motifs.blinds),
    "Western": (18, 36, motifs.horizon),
    "Musical": (318, 44, motifs.columns),
    "Documentary": (168, 88, motifs.frames),
    "Animation": (196, 44, motifs.dots),
    "Horror": (352, 14, motifs.shards),
    "Sci-Fi": (246, 188, motifs.orbits),
    "War": (86, 46, motifs.chevrons),
    "Fantasy": (272, 318, motifs.peaks),
    "Mystery": (206, 64, motifs.lens),
    "Children's": (182, 24, motifs.dots),
    "Children": (182, 24, motifs.dots),
    "Romance": (340, 24, motifs.embrace),
    "Crime": (214, 28, motifs.skyline),
    "Adventure": (150, 52, motifs.peaks),
    "Thriller": (200, 8, motifs.shards),
    "Comedy": (30, 52, motifs.smiles),
    "Action": (8, 40, motifs.chevrons),
    "Drama": (232, 204, motifs.strata),
    "IMAX": (190, 160, motifs.frames),
}


@dataclass(frozen=True)
class Poster:
    """What the template draws; colours are CSS colours."""

    ground: str
    bright: str
    soft: str
    shapes: list[Shape]
    initials: str

    def paint(self, shape: Shape) -> str:
        """The colour of a shape."""
        return str(getattr(self, shape.paint))


def poster(movie: Movie) -> Poster:
    """A movie's poster; movies without a known genre are painted by the name of theirs, or by their title."""
    title = shown_title(movie)
    hue, shape_hue, motif = _look(movie.genres, title)
    numbers = _numbers(title)
    hue = round(hue + 44 * (numbers[0] - 0.5)) % 360
    shape_hue = round(shape_hue + 30 * (numbers[2] - 0.5)) % 360
    return Poster(
        ground=f"hsl({hue} 38% {20 + round(6 * numbers[1])}%)",
        bright=f"hsl({shape_hue} 74% {62 + round(8 * numbers[2])}%)",
        soft=f"hsl({hue} 44% 44%)",
        shapes=list(motif(numbers)),
        initials=initials(title),
    )


def _look(genres: list[str], title: str) -> tuple[int, int, Motif]:
    for genre, look in GENRES.items():
        if genre in genres:
            return look
    digest = _digest(genres[0] if genres else title)
    hue = digest[0] * 360 // 256
    return hue, (hue + 40 + digest[1]) % 360, MOTIFS[digest[2] % len(MOTIFS)]


def _numbers(title: str) -> Numbers:
    a, b, c = (byte / 255 for byte in _digest(title)[3:6])
    return a, b, c


def _digest(text: str) -> bytes:
    """The same in every process, as `hash()` is not."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
