"""Fitting what retrieval knows of movies and of pairs of them without a network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.config import RetrievalSettings
from recommender.data.interactions import Interactions
from recommender.errors import ConfigError
from recommender.models.baselines.ease import EASE_MAX_MOVIES, fit_ease
from recommender.models.baselines.popularity import fit_popularity
from recommender.models.item_to_item_prior import PairTable
from recommender.models.rated_last import rated_last_lifts
from recommender.models.transition_table import transition_lifts

# Of what a movie says, with each rating that follows it.
DECAYS = {"transition": 0.75, "nearby": 1.0, "recent_nearby": 0.5, "ease": 1.0, "recent_ease": 0.9}
# Added before the logarithm, so that what was never seen together is not minus infinity.
SMALLEST = {"transition": 0.1, "nearby": 0.1, "recent_nearby": 1.0, "ease": 0.03, "recent_ease": 0.03}
EASE_PENALTY = 400.0
HALF_LIFE_DAYS = 7.0  # of what a rating counts for recent popularity

Table = PairTable | NDArray[np.float32]  # of pairs of movies, or a number for each movie


def fit_priors(settings: RetrievalSettings, ratings: Interactions) -> dict[str, Table]:
    """The tables of `settings.priors` by name.

    Raises `ConfigError` for a catalogue whose pairs are too many: a table takes 0.6 GB at the limit.
    """
    of_pairs = any(name in DECAYS for name in settings.priors)
    if of_pairs and ratings.num_movies > EASE_MAX_MOVIES:
        raise ConfigError(
            f"retrieval.priors: hold a number for every pair of movies, at most {EASE_MAX_MOVIES:,} of them, "
            f"the data has {ratings.num_movies:,}: keep rated_last, recent_popularity or none"
        )
    return {name: _fit(name, ratings) for name in settings.priors}


def _fit(name: str, ratings: Interactions) -> Table:
    if name in ("ease", "recent_ease"):
        similarity = np.asarray(fit_ease(ratings, EASE_PENALTY).similarity, np.float32)
        pairs = np.pad(similarity, [[1, 0], [1, 0]])
        return PairTable(pairs, DECAYS[name], mean=False, smallest=SMALLEST[name])
    if name == "recent_popularity":
        counts = fit_popularity(ratings, HALF_LIFE_DAYS).weights
        return np.pad(counts, [1, 0]) + np.float32(1)
    order = np.lexsort((ratings.timestamp, ratings.user))
    in_order = ratings.movie[order] + 1, ratings.user[order], ratings.num_movies
    if name == "rated_last":
        return rated_last_lifts(*in_order)
    lifts = transition_lifts(*in_order, both_ways=name != "transition")
    return PairTable(lifts, DECAYS[name], mean=True, smallest=SMALLEST[name])
