"""What settings name must exist: checked before any work, and without importing anything heavy."""

from __future__ import annotations

from recommender.config import Settings
from recommender.data.features import select
from recommender.data.movielens import CATALOGUE
from recommender.errors import ConfigError
from recommender.models.heads import check_features, head_names
from recommender.search_space import check_search_space

GENERATED, OWN = "synthetic", "custom"


def validate(settings: Settings) -> None:
    """Raise `ConfigError` where `settings` name a data set, file, head or feature that does not exist,
    or a head without the features that it needs."""
    _must_be_one_of("data.dataset", settings.data.dataset, [*CATALOGUE, GENERATED, OWN])
    _must_be_one_of("ranking.head", settings.ranking.head, head_names())
    select(settings.ranking.features, "ranking.features")
    check_features(settings.ranking.head, settings.ranking.features)
    select(settings.retrieval.user_features, "retrieval.user_features", ("user", "user_history"))
    select(settings.retrieval.movie_features, "retrieval.movie_features", ("movie",))
    own = settings.data.custom
    if settings.data.dataset == OWN and own.ratings is None:
        raise ConfigError("data.custom.ratings: must name a CSV or Parquet file when data.dataset is custom")
    files = {"data.archive": settings.data.archive}
    if settings.data.dataset == OWN:
        files |= {f"data.custom.{name}": getattr(own, name) for name in ("ratings", "movies", "users")}
    for key, path in files.items():
        if path is not None and not path.exists():
            raise ConfigError(f"{key}: there is no such file, received {str(path)!r}")
    check_search_space(settings)


def _must_be_one_of(key: str, value: str, names: list[str]) -> None:
    if value not in names:
        raise ConfigError(f"{key}: must be one of {', '.join(names)}, received {value!r}")
