"""What posters show: a few shapes for each kind of movie, moved about by three numbers from 0 to 1.

A motif draws on a canvas of 200 x 300 units. `bright` shapes carry the picture, `soft` ones lie behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

WIDTH, HEIGHT = 200, 300
Numbers = tuple[float, float, float]
Paint = Literal["bright", "soft", "ground"]


@dataclass(frozen=True)
class Shape:
    """An SVG element: its name, its attributes, how it is painted and how opaque."""

    element: Literal["circle", "rect", "path"]
    attributes: dict[str, str]
    paint: Paint = "bright"
    opacity: float = 1.0


def _circle(x: float, y: float, r: float, paint: Paint = "bright", opacity: float = 1.0) -> Shape:
    return Shape("circle", {"cx": f"{x:.0f}", "cy": f"{y:.0f}", "r": f"{r:.0f}"}, paint, opacity)


def _rect(
    x: float, y: float, width: float, height: float, paint: Paint = "bright", opacity: float = 1.0
) -> Shape:
    sizes = {"x": f"{x:.0f}", "y": f"{y:.0f}", "width": f"{width:.0f}", "height": f"{height:.0f}"}
    return Shape("rect", sizes, paint, opacity)


def _path(d: str, paint: Paint = "bright", opacity: float = 1.0) -> Shape:
    return Shape("path", {"d": d}, paint, opacity)


def orbits(numbers: Numbers) -> Iterator[Shape]:
    """Rings around a planet."""
    a, b, c = numbers
    x, y = 60 + 80 * a, 90 + 50 * b
    for step in range(4):
        yield _circle(x, y, 150 - 32 * step, "soft", 0.28 + 0.12 * step)
    yield _circle(x, y, 30 + 14 * c)
    yield _circle(x + 70 - 140 * c, y + 62, 8)


def horizon(numbers: Numbers) -> Iterator[Shape]:
    """A large sun going down behind plains."""
    a, b, c = numbers
    yield _circle(70 + 60 * a, 150, 62 + 18 * b)
    for step in range(5):
        yield _rect(0, 160 + 26 * step + 8 * c, 200, 12 + 4 * step, "ground")
    yield _rect(0, 262, 200, 38, "soft", 0.7)


def blinds(numbers: Numbers) -> Iterator[Shape]:
    """Light through blinds."""
    a, b, _ = numbers
    lean = 20 + 50 * a
    for step in range(9):
        y = -40 + 38 * step
        d = f"M0 {y + lean:.0f}L200 {y:.0f}v{12 + 8 * b:.0f}L0 {y + lean + 12 + 8 * b:.0f}z"
        yield _path(d, "bright" if step in (3, 4) else "soft", 0.9 if step in (3, 4) else 0.55)


def peaks(numbers: Numbers) -> Iterator[Shape]:
    """Mountains and a small moon."""
    a, b, c = numbers
    yield _circle(40 + 120 * c, 66, 20)
    yield _path(f"M-20 300L{50 + 40 * a:.0f} {130 + 30 * b:.0f}L190 300z", "soft", 0.75)
    yield _path(f"M40 300L{125 + 30 * b:.0f} {165 - 40 * a:.0f}L260 300z")
    yield _path(f"M-60 300L{20 + 30 * c:.0f} 220L150 300z", "ground", 0.65)


def embrace(numbers: Numbers) -> Iterator[Shape]:
    """Two discs that overlap."""
    a, b, c = numbers
    r = 52 + 14 * c
    yield _circle(100 - 24 - 14 * a, 130 - 14 * b, r, "soft", 0.95)
    yield _circle(100 + 24 + 14 * a, 130 + 18 * b, r, "bright", 0.82)


def columns(numbers: Numbers) -> Iterator[Shape]:
    """Bars that rise and fall like sound."""
    a, b, c = numbers
    for step in range(7):
        height = 60 + 150 * abs(((step * (0.37 + 0.4 * a) + b) % 1) - 0.5) + 40 * c
        yield _rect(
            14 + 25 * step,
            150 - height / 2,
            14,
            height,
            "bright" if step % 3 else "soft",
            1 if step % 3 else 0.9,
        )


def dots(numbers: Numbers) -> Iterator[Shape]:
    """Dots of many sizes, like balloons or confetti."""
    a, b, c = numbers
    for step in range(15):
        x, y = step % 3, step // 3
        size = 7 + 17 * ((step * (0.31 + a / 3) + b) % 1)
        lit = (step + int(7 * c)) % 3
        yield _circle(40 + 60 * x, 36 + 48 * y, size, "bright" if lit else "soft", 0.95 if lit else 0.8)


SMILES: tuple[Paint, ...] = ("soft", "bright", "soft")


def smiles(numbers: Numbers) -> Iterator[Shape]:
    """Half discs, open upwards."""
    for step, paint in enumerate(SMILES):
        r = 44 + 16 * numbers[step]
        x, y = 100 + (step - 1) * 34, 48 + 72 * step
        yield _path(f"M{x - r:.0f} {y}a{r:.0f} {r:.0f} 0 0 0 {2 * r:.0f} 0z", paint, 0.95)


def shards(numbers: Numbers) -> Iterator[Shape]:
    """Splinters that meet in one point."""
    a, b, c = numbers
    x, y = 70 + 60 * a, 120 + 60 * b
    corners = [(-10, 30), (80 + 60 * c, -10), (210, 60), (210, 190), (150 - 70 * c, 310), (-10, 260)]
    for step in range(0, 6, 2):
        (x1, y1), (x2, y2) = corners[step], corners[step + 1]
        yield _path(
            f"M{x:.0f} {y:.0f}L{x1:.0f} {y1}L{x2:.0f} {y2}z",
            "bright" if step == 2 else "soft",
            0.95 if step == 2 else 0.7,
        )


def lens(numbers: Numbers) -> Iterator[Shape]:
    """An eye, or a keyhole seen from the other side."""
    a, b, c = numbers
    y, open_ = 120 + 30 * a, 70 + 30 * b
    yield _path(f"M10 {y:.0f}Q100 {y - open_:.0f} 190 {y:.0f}Q100 {y + open_:.0f} 10 {y:.0f}z", "soft", 0.85)
    yield _circle(100, y, 26 + 8 * c)
    yield _circle(100 - 8 + 16 * c, y, 11, "ground")


def skyline(numbers: Numbers) -> Iterator[Shape]:
    """Houses at night with one lit window."""
    a, b, c = numbers
    for step in range(6):
        height = 70 + 130 * ((step * (0.43 + a / 4) + b) % 1)
        yield _rect(
            -6 + 36 * step,
            300 - height,
            32,
            height,
            "soft" if step % 2 else "bright",
            0.9 if step % 2 else 0.8,
        )
    yield _circle(40 + 120 * c, 58, 24)


def chevrons(numbers: Numbers) -> Iterator[Shape]:
    """Arrows that point onward."""
    a, b, _ = numbers
    width = 24 + 12 * b
    for step in range(4):
        y = 20 + 66 * step + 18 * a
        down = y + 60
        d = f"M0 {down:.0f}L100 {y:.0f}L200 {down:.0f}v{width:.0f}L100 {y + width:.0f}L0 {down + width:.0f}z"
        yield _path(d, "bright" if step == 1 else "soft", 1.0 if step == 1 else 0.4 + 0.12 * step)


def strata(numbers: Numbers) -> Iterator[Shape]:
    """Layers of hills, or of moods."""
    a, b, c = numbers
    yield _circle(50 + 100 * b, 80 + 20 * a, 30 + 10 * c)
    for step in range(3):
        y, bend = 150 + 46 * step, 34 * (a - 0.5 + 0.6 * (step - 1))
        d = f"M0 {y:.0f}C60 {y - 40 - bend:.0f} 130 {y + 40 + bend:.0f} 200 {y - 8:.0f}V300H0z"
        yield _path(d, "soft", 0.45 + 0.25 * step)


def frames(numbers: Numbers) -> Iterator[Shape]:
    """Frames within frames."""
    a, b, c = numbers
    for step in range(4):
        inset = 18 + 20 * step
        x, y = inset + 8 * (a - 0.5) * step, inset * 1.2 + 10 * (b - 0.5) * step
        yield _rect(x, y, 200 - 2 * inset, 264 - 2.4 * inset, "soft" if step % 2 == 0 else "ground", 0.8)
    yield _circle(100 + 20 * (c - 0.5), 128, 16)


Motif = Callable[[Numbers], Iterator[Shape]]
MOTIFS: tuple[Motif, ...] = (
    orbits, horizon, blinds, peaks, embrace, columns, dots, smiles, shards, lens, skyline, chevrons, strata,
    frames,
)  # fmt: skip
