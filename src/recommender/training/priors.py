"""Fitting what retrieval knows of pairs of movies without a network."""

from __future__ import annotations

import numpy as np

from recommender.config import RetrievalSettings
from recommender.data.interactions import Interactions
from recommender.errors import ConfigError
from recommender.models.baselines.ease import EASE_MAX_MOVIES, fit_ease
from recommender.models.item_to_item_prior import PairTable
from recommender.models.transition_table import transition_lifts

# Of what a movie says, with each rating that follows it.
TRANSITION_DECAY = 0.75
RECENT_DECAY = 0.9
# Added before the logarithm, so that what was never seen together is not minus infinity.
SMALLEST_LIFT = 0.1
SMALLEST_EASE = 0.03
EASE_PENALTY = 400.0


def fit_priors(settings: RetrievalSettings, ratings: Interactions) -> dict[str, PairTable]:
    """The tables of `settings.priors` by name.

    Raises `ConfigError` for a catalogue whose pairs are too many: a table takes 0.6 GB at the limit.
    """
    if settings.priors and ratings.num_movies > EASE_MAX_MOVIES:
        raise ConfigError(
            f"retrieval.priors: hold a number for every pair of movies, at most {EASE_MAX_MOVIES:,} of them, "
            f"the data has {ratings.num_movies:,}: set retrieval.priors=[]"
        )
    return {name: _fit(name, ratings) for name in settings.priors}


def _fit(name: str, ratings: Interactions) -> PairTable:
    if name in ("transition", "nearby"):
        order = np.lexsort((ratings.timestamp, ratings.user))
        movies, users = ratings.movie[order] + 1, ratings.user[order]
        lifts = transition_lifts(movies, users, ratings.num_movies, both_ways=name == "nearby")
        decay = TRANSITION_DECAY if name == "transition" else 1.0
        return PairTable(lifts, decay, mean=True, smallest=SMALLEST_LIFT)
    similarity = np.asarray(fit_ease(ratings, EASE_PENALTY).similarity, np.float32)
    decay = RECENT_DECAY if name == "recent_ease" else 1.0
    return PairTable(np.pad(similarity, [[1, 0], [1, 0]]), decay, mean=False, smallest=SMALLEST_EASE)
