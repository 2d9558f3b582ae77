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
    """The text of `features.sql` for these settings, this many genres and this rating scale."""
    text = (resources.files("recommender.data") / "features.sql").read_text(encoding="utf-8")
    counts = (
        f"CAST(SUM(CASE WHEN LIST_CONTAINS(genres, {genre}) THEN liked ELSE 0 END) OVER by_user AS BIGINT)"
        f" * 1000 + {999 - genre}"
        for genre in range(num_genres)
    )
    return text.format(
        liked_threshold=repr(settings.liked_threshold),
        rating_middle=f"CAST({sum(rating_scale) / 2} AS DOUBLE)",
        genre_counts="[" + ",\n      ".join(counts) + "]",
        history_length=settings.history_length,
        liked_length=settings.liked_length,
        top_genres=settings.top_genres,
    )
