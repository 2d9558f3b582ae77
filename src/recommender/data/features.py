"""The declared features: the one list that the SQL, the vocabularies, the models and the serving follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from recommender.config import FeatureSettings
from recommender.errors import ConfigError

Kind = Literal["id", "categorical", "multi_categorical", "numeric", "sequence"]
Source = Literal["user", "movie", "user_history", "movie_history", "context"]


@dataclass(frozen=True)
class Feature:
    """One feature: what it is, where it comes from and what stands for a missing value.

    `columns` are the SQL's columns (the name itself unless it is a sequence of several). A missing numeric
    takes the training mean; a missing category, id or list is index 0. `log` says that a numeric is a count
    or a duration, which a model reads as log(1 + x).
    """

    name: str
    kind: Kind
    source: Source
    log: bool = False
    parts: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the feature table that hold it."""
        return self.parts or (self.name,)

    @property
    def missing(self) -> float:
        """What stands for a value that nobody has: a count of nothing is 0, a mean of nothing is NaN."""
        return float("nan") if self.kind == "numeric" and not self.name.endswith("_count") else 0.0


FEATURES = (
    Feature("user_id", "id", "user"),
    Feature("gender", "categorical", "user"),
    Feature("age", "numeric", "user"),
    Feature("occupation", "categorical", "user"),
    Feature("movie_id", "id", "movie"),
    Feature("genres", "multi_categorical", "movie"),
    Feature("release_year", "numeric", "movie"),
    Feature("user_count", "numeric", "user_history", log=True),
    Feature("user_mean", "numeric", "user_history"),
    Feature("user_stddev", "numeric", "user_history"),
    Feature("user_deviation", "numeric", "user_history"),
    Feature("user_year_mean", "numeric", "user_history"),
    Feature("user_year_stddev", "numeric", "user_history"),
    Feature("top_genres", "multi_categorical", "user_history"),
    Feature("liked_movies", "sequence", "user_history"),
    Feature(
        "history",
        "sequence",
        "user_history",
        parts=("history_movies", "history_ratings", "history_deviations", "history_ages"),
    ),
    Feature("days_since_first", "numeric", "user_history", log=True),
    Feature("movie_count", "numeric", "movie_history", log=True),
    Feature("movie_mean", "numeric", "movie_history"),
    Feature("movie_stddev", "numeric", "movie_history"),
    Feature("movie_deviation", "numeric", "movie_history"),
    Feature("hour_sin", "numeric", "context"),
    Feature("hour_cos", "numeric", "context"),
    Feature("weekday_sin", "numeric", "context"),
    Feature("weekday_cos", "numeric", "context"),
)
# Likes of several genres are counted in one 64-bit sum: up to two million of each.
GENRE_BITS, GENRES_A_NUMBER = 21, 3
BY_NAME = {feature.name: feature for feature in FEATURES}


def select(
    names: Iterable[str], setting: str, sources: Sequence[Source] | None = None
) -> tuple[Feature, ...]:
    """The declared features of these names, in declared order.

    Raises `ConfigError` naming `setting` for an unknown name or one whose source is not among `sources`.
    """
    names = set(names)
    allowed = [feature.name for feature in FEATURES if sources is None or feature.source in sources]
    for name in sorted(names):
        if name not in allowed:
            raise ConfigError(f"{setting}: must be among {', '.join(allowed)}, received {name!r}")
    return tuple(feature for feature in FEATURES if feature.name in names)


def feature_sql(settings: FeatureSettings, num_genres: int, rating_scale: tuple[float, float]) -> str:
    """The SQL of the whole feature table for these settings, this many genres and this rating scale."""
    columns = [column for feature in FEATURES if feature.kind != "sequence" for column in feature.columns]
    return _text("histories.sql").format(
        statistics=statistics_sql(settings, num_genres, rating_scale),
        columns=", ".join(f"r.{column}" for column in ("row", "timestamp", *columns)),
        liked_threshold=repr(settings.liked_threshold),
        history_length=settings.history_length,
        liked_length=settings.liked_length,
    )


def statistics_sql(
    settings: FeatureSettings, num_genres: int, rating_scale: tuple[float, float], now: str = "r.timestamp"
) -> str:
    """The SQL of all features but sequences; `now` is the second up to which ages count, as SQL over `r`."""
    genres = range(num_genres)
    numbers = range(-(-num_genres // GENRES_A_NUMBER))
    counts = (
        f"((r.liked_genres_{genre // GENRES_A_NUMBER} >> {_bit(genre)}) & {2**GENRE_BITS - 1})"
        f" * 1000 + {999 - genre}"
        for genre in genres
    )
    return _text("features.sql").format(
        liked_threshold=repr(settings.liked_threshold),
        rating_middle=f"CAST({sum(rating_scale) / 2} AS DOUBLE)",
        genre_bits=GENRE_BITS,
        genre_summands=",\n    ".join(_genre_summand(number, num_genres) for number in numbers) or "0",
        genre_sums=",\n    ".join(
            f"CAST(SUM(d.liked * s.genres_{number}) OVER by_user AS BIGINT) AS liked_genres_{number}"
            for number in numbers
        )
        or "0",
        genre_counts="[" + ",\n      ".join(counts) + "]" if num_genres else "CAST([] AS BIGINT[])",
        top_genres=settings.top_genres,
        now=now,
    )


def _genre_summand(number: int, num_genres: int) -> str:
    """A movie's genres of one number: a 1 at the place of each."""
    first = number * GENRES_A_NUMBER
    ones = (
        f"CASE WHEN LIST_CONTAINS(genres, {genre}) THEN CAST({2 ** _bit(genre)} AS BIGINT) ELSE 0 END"
        for genre in range(first, min(first + GENRES_A_NUMBER, num_genres))
    )
    return " + ".join(ones) + f" AS genres_{number}"


def _bit(genre: int) -> int:
    return genre % GENRES_A_NUMBER * GENRE_BITS


def _text(name: str) -> str:
    return (resources.files("recommender.data") / name).read_text(encoding="utf-8")
