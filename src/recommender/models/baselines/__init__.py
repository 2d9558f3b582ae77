"""Baselines: what a deep model has to beat, fitted in seconds and always printed beside it."""

from __future__ import annotations

from recommender.data.interactions import Interactions
from recommender.models.baselines.ease import EASE_MAX_MOVIES, fit_ease
from recommender.models.baselines.ials import Factors, fit_ials
from recommender.models.baselines.item_knn import fit_item_knn
from recommender.models.baselines.item_to_item import ItemToItem
from recommender.models.baselines.means import GlobalMean, ItemMean, fit_global_mean, fit_item_mean
from recommender.models.baselines.popularity import Popularity, fit_popularity
from recommender.models.baselines.user_item_bias import UserItemBias, fit_user_item_bias

RatingBaseline = GlobalMean | ItemMean | UserItemBias
TopKBaseline = Popularity | ItemToItem | Factors


def fit_rating_baselines(train: Interactions) -> dict[str, RatingBaseline]:
    """The rating baselines that know users and movies by their codes, by name.

    `running_bias` is not among them: it is fitted on point-in-time statistics, see `fit_running_bias`.
    """
    return {
        "global_mean": fit_global_mean(train),
        "item_mean": fit_item_mean(train),
        "user_item_bias": fit_user_item_bias(train),
    }


def fit_top_k_baselines(
    known: Interactions, *, seed: int, half_life_days: float = 3.0
) -> dict[str, TopKBaseline]:
    """The top-k baselines by name, fitted on all ratings that are known when the ranking is asked for.

    `ease` is left out of catalogues with more than `EASE_MAX_MOVIES` movies.
    """
    baselines: dict[str, TopKBaseline] = {
        "popularity": fit_popularity(known),
        f"popularity_{half_life_days:g}_day_half_life": fit_popularity(known, half_life_days),
        "item_knn": fit_item_knn(known),
        "ials": fit_ials(known, seed=seed),
    }
    if known.num_movies <= EASE_MAX_MOVIES:
        baselines["ease"] = fit_ease(known)
    return baselines
