"""Ranking heads, one a file of its name: each turns embedded features into one score per row."""

import pkgutil
from collections.abc import Collection

from recommender.errors import ConfigError

# Features without which a head is not what its name says; here and not in the heads' files, because settings
# are checked without TensorFlow.
REQUIRED_FEATURES = {
    "deepfm": ("movie_id",),
    "din": ("movie_id", "history"),
    "dlrm": ("movie_id",),
    "foldin": ("movie_id", "history"),
    "neumf": ("user_id", "movie_id"),
    "two_tower": ("movie_id",),
    "wide_deep": ("movie_id", "liked_movies"),
}


def head_names() -> list[str]:
    """Names that `ranking.head` takes; importing no head, and so no TensorFlow."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "head")


def check_features(head: str, features: Collection[str]) -> None:
    """Raise `ConfigError` for a feature that the head needs and that is not among `ranking.features`."""
    for name in REQUIRED_FEATURES.get(head, ()):
        if name not in features:
            raise ConfigError(
                f"ranking.features: must hold {name}, which the head {head} needs, received {list(features)}"
            )
