"""How many of the movies that were seen were clicked, and how sure that is."""

from __future__ import annotations

import math

Z = 1.959963984540054  # the 97.5 % point of the standard normal distribution: 95 % lie between -Z and Z


def wilson_interval(clicks: int, impressions: int) -> tuple[float, float] | None:
    """The score interval of a proportion at 95 %; None without impressions.

    With p = clicks / n it is (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n), by Wilson
    1927, "Probable inference, the law of succession, and statistical inference". Unlike the plain
    p +- z sqrt(p (1 - p) / n) it stays within 0 and 1 and is no single point where nobody has clicked yet.
    Impressions count as independent, which those of one user are not quite: it is a little too narrow.
    """
    if not impressions:
        return None
    share, square = clicks / impressions, Z * Z / impressions
    middle = share + square / 2
    half = Z * math.sqrt(share * (1 - share) / impressions + square / (4 * impressions))
    low, high = ((middle + sign * half) / (1 + square) for sign in (-1, 1))
    return max(low, 0.0), min(high, 1.0)
