"""Fitting the tables that the head `foldin` looks movies up in, on the splits that it is trained on."""

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

NEXT = {"train": "validation", "validation": "test"}  # whose snapshot is the state after the split
SPLITS_IN_TIME = ("time_range", "row_quantile")  # those where all of training comes before all of the rest


def prepare_head(
    head: Head,
    training: Arrays,
    settings: Settings,
    prepared: Prepared,
    folder: Path,
    splits: tuple[str, ...] = ("train",),
) -> None:
    """Give the head `foldin` the factors that it starts from, and the training rows their user's fold.

    `training` are the rows of `splits`, one after the other. Other heads need nothing. What a checkpoint in
    `folder` will bring is not fitted again.
    """
    if not isinstance(head, FoldInHead):
        return
    folds = fold_of_user(prepared.schema.num_users, head.folds, settings.seed)
    training[FOLD] = np.concatenate([folds[prepared.interactions.part(name).user] for name in splits])
    if has_checkpoint(folder):
        return
    fits = fit_factors(prepared, splits, head.movies.size, head.iterations, head.folds, settings.seed)
    head.movies.assign(fits)
    if prepared.schema.split in SPLITS_IN_TIME:
        _assign_end_of_training(head.updated_bias, fits[0], prepared, NEXT[splits[-1]])


@lru_cache(maxsize=1)  # trials of a search share them
def fit_factors(
    prepared: Prepared, splits: tuple[str, ...], size: int, iterations: int, folds: int, seed: int
) -> tuple[MovieFactors, ...]:
    """Factors of all movies by model index: of all ratings of `splits`, then without each fold of users."""
    ratings = prepared.interactions.part(*splits)
    content = content_columns(movie_content(prepared.movies, prepared.schema))
    movie = ratings.movie + 1

    def fit(rows: NDArray[np.bool_]) -> MovieFactors:
        chosen = ratings.user[rows], movie[rows], ratings.rating[rows]
        return fit_movie_factors(*chosen, content, size, iterations, seed)

    fold_of_row = fold_of_user(prepared.schema.num_users, folds, seed)[ratings.user]
    return tuple(cross_fit(fit, fold_of_row, folds))


def _assign_end_of_training(
    updated: UpdatedBias, fit: MovieFactors, prepared: Prepared, snapshot: str
) -> None:
    """Tell what the features of the movies were when training ended, and how they relate to the biases."""
    movies = prepared.snapshot(snapshot).movies
    count, deviation = (np.nan_to_num(np.append(0, movies[name])) for name in FEATURES)
    weight = count / count.sum()
    # A user's factors are unknown here, so what they say of the movie is noise, too; their moments are 1.
    noise = fit.noise + weight @ np.square(fit.factors).sum(axis=1)
    updated.assign(count, deviation, weight @ (fit.bias - deviation), noise)
