"""Templates and what they may call. Everything is escaped: in text, attributes and inside SVG alike."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from recommender.app.answers import ExperimentResult, Recommendations
from recommender.app.pages.posters import poster
from recommender.app.pages.titles import shown_title

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
SITES = {"imdb": "IMDb", "tmdb": "TMDB", "movielens": "MovieLens"}


@cache
def static_path(name: str) -> str:
    """The address of a static file; it changes with the content, so that browsers may keep what they have."""
    digest = hashlib.blake2b((STATIC / name).read_bytes(), digest_size=6).hexdigest()
    return f"/static/{name}?v={digest}"


def path_segment(value: str) -> str:
    """An id or a genre within an address."""
    return quote(value, safe="")


def day(timestamp: int) -> str:
    """A second as a date, UTC; empty for one beyond what calendars hold."""
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%-d %b %Y")
    except (OverflowError, ValueError, OSError):
        return ""


def percent(share: float) -> str:
    """A share from 0 to 1 as people write it: 12.5 %."""
    return f"{100 * share:.1f} %"


def milliseconds(value: float) -> str:
    """A time to a tenth of a millisecond."""
    return f"{value:.1f} ms"


def channel_counts(answer: Recommendations) -> list[tuple[str, int]]:
    """How many of a list's movies each channel has found, the most first; a movie may have several."""
    return Counter(channel for movie in answer.items for channel in movie.channels).most_common()


def highest_interval(experiment: ExperimentResult) -> float:
    """The upper end of an experiment's intervals: where the drawing of them ends; never 0."""
    return (
        max((variant.interval[1] for variant in experiment.variants if variant.interval), default=1.0) or 1.0
    )


def site_name(key: str) -> str:
    """How a site writes its name."""
    return SITES.get(key.lower(), key)


def is_web_address(text: str) -> bool:
    """Whether a link leads to a web page: data may hold `javascript:` too."""
    return text.startswith(("https://", "http://"))


@cache
def environment() -> Environment:
    """The templates; a name that a page does not know is an error and not an empty place."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"static": static_path, "poster": poster}
    made.filters |= {
        "segment": path_segment,
        "shown_title": shown_title,
        "day": day,
        "percent": percent,
        "site_name": site_name,
        "channel_counts": channel_counts,
        "highest_interval": highest_interval,
        "milliseconds": milliseconds,
    }
    made.tests["web_address"] = is_web_address
    return made
