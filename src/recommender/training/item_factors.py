"""Fitting the tables that the head `foldin` looks movies up in, on the training split only."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.config import Settings
from recommender.data.encode import Arrays
from recommender.data.prepared import Prepared
from recommender.models.cross_fitting import cross_fit, fold_of_user
from recommender.models.factor_table import content_columns
from recommender.models.heads.foldin import FOLD, FoldInHead
from recommender.models.heads.head import Head
from recommender.models.item_factors import MovieFactors, fit_movie_factors
from recommender.models.movie_embedding import movie_content
from recommender.models.updated_bias import FEATURES, UpdatedBias
from recommender.training.fit import has_checkpoint

SPLITS_IN_TIME = ("time_range", "row_quantile")  # those where all of training comes before all of the rest


def prepare_head(head: Head, training: Arrays, settings: Settings, prepared: Prepared, folder: Path) -> None:
    """Give the head `foldin` the factors that it starts from, and the training rows their user's fold.

    Other heads need nothing. What a checkpoint in `folder` will bring is not fitted again.
    """
    if not isinstance(head, FoldInHead):
        return
    folds = fold_of_user(prepared.schema.num_users, head.folds, settings.seed)
    training[FOLD] = folds[prepared.interactions.part("train").user]
    if has_checkpoint(folder):
        return
    fits = fit_factors(prepared, head.movies.size, head.iterations, head.folds, settings.seed)
    head.movies.assign(fits)
    if prepared.schema.split in SPLITS_IN_TIME:
        _assign_end_of_training(head.updated_bias, fits[0], prepared)


@lru_cache(maxsize=1)  # trials of a search share them
def fit_factors(
    prepared: Prepared, size: int, iterations: int, folds: int, seed: int
) -> tuple[MovieFactors, ...]:
    """The factors of all movies by model index: of all training ratings, then without each fold of users."""
    ratings = prepared.interactions.part("train")
    content = content_columns(movie_content(prepared.movies, prepared.schema))
    movie = ratings.movie + 1

    def fit(rows: NDArray[np.bool_]) -> MovieFactors:
        chosen = ratings.user[rows], movie[rows], ratings.rating[rows]
        return fit_movie_factors(*chosen, content, size, iterations, seed)

    fold_of_row = fold_of_user(prepared.schema.num_users, folds, seed)[ratings.user]
    return tuple(cross_fit(fit, fold_of_row, folds))


def _assign_end_of_training(updated: UpdatedBias, fit: MovieFactors, prepared: Prepared) -> None:
    """Tell what the features of the movies were when training ended, and how they relate to the biases."""
    movies = prepared.snapshot("validation").movies
    count, deviation = (np.nan_to_num(np.append(0, movies[name])) for name in FEATURES)
    weight = count / count.sum()
    # A user's factors are unknown here, so what they say of the movie is noise, too; their moments are 1.
    noise = fit.noise + weight @ np.square(fit.factors).sum(axis=1)
    updated.assign(count, deviation, weight @ (fit.bias - deviation), noise)
